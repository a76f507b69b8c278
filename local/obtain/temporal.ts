import { createCacheSources, findOnPath, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { downloadThroughSdk } from './sdk-download.ts';
import { createServerSources, obtainWebUi, readVersion } from './temporal-builds.ts';

const version = 'v1.9.1';
const executable = 'temporal';

/** A program that runs a Temporal server on this machine: the Temporal CLI, or Temporal's server itself. */
export type TemporalProgram = {
  path: string;
  /** The version of the server, such as `1.32.1`. */
  version: string;
  /** The path of the server of the Web UI. Undefined for the CLI, which serves the Web UI itself. */
  webUi: string | undefined;
};

// The CLI prints `temporal version 1.9.1 (Server 1.32.0, UI 2.54.0)`, the server prints `temporal version 1.32.1`.
const versions = /^temporal version (\S+)(?: \(Server ([^,)\s]+))?/;

/**
 * Returns a working program that runs a Temporal server. If `TEMPORAL_CLI_PATH` is set, tries only that. Otherwise
 * tries, in this order: the Temporal CLI on PATH, in our cache, and by the SDK's official download, and then Temporal's
 * server built with Go. A server that our cache has already is used before the download is tried.
 * @throws {SetupError} if none works. The message says what to install.
 */
export async function obtainTemporal(options: Obtain): Promise<TemporalProgram> {
  const { say, signal } = options;
  let printed = '';
  const checkTemporal = async (path: string) => {
    printed = await readVersion(path, versions);
    return printed;
  };
  const cli = createCacheSources(toCachePath('temporal-cli', version), executable, checkTemporal);
  const server = createServerSources(options);
  const download = (directory: string) =>
    downloadThroughSdk(directory, executable, { kind: 'dev-server', version, say, signal });
  const path = await obtainFirstWorking(
    {
      what: 'Temporal',
      variable: 'TEMPORAL_CLI_PATH',
      check: checkTemporal,
      sources: [
        { name: 'PATH', find: () => findOnPath(executable) },
        cli.cached,
        server.cached,
        cli.filled('the official download', download),
        server.built,
      ],
      advice:
        'Install the Temporal CLI (https://docs.temporal.io/cli) or Go (https://go.dev/dl), or set TEMPORAL_CLI_PATH to a temporal binary.',
    },
    options,
  );
  const [, own = '', ofCli] = versions.exec(printed) ?? [];
  return ofCli ? { path, version: ofCli, webUi: undefined } : { path, version: own, webUi: await obtainWebUi(options) };
}
