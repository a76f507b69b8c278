import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../cli/until.ts';
import { findFreePort, isListening } from '../processes/ports.ts';
import { createCacheSources, findOnPath, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { runStep } from './run-step.ts';
import { downloadThroughSdk } from './sdk-download.ts';

/** The script that runs a time-skipping server, and kills the server when the script's parent ends. */
export const watchedServer = fileURLToPath(new URL('./watched-server.sh', import.meta.url));

const version = '1.38.0';
const executable = 'temporal-test-server';

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>holdfast</groupId><artifactId>time-skipping-server</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.temporal</groupId><artifactId>temporal-test-server</artifactId><version>${version}</version></dependency>
  </dependencies>
</project>
`;

// The SDK ends only the process that it started. `exec` turns that process from the shell into Java.
const wrapper = `#!/bin/sh
LIB="$(cd "$(dirname "$0")" && pwd)/lib"
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$LIB/*" io.temporal.testserver.TestServer "$@"
`;

/** Starts the server on a free port, waits until it listens and kills it. Rejects if it does not listen in time. */
async function checkTimeSkippingServer(path: string): Promise<string> {
  const port = await findFreePort();
  const child = spawn(watchedServer, [String(port), path, 'loud'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output = (output + text).slice(-300);
  });
  let fault: string | undefined;
  const ended = new Promise<void>((settle) => {
    const end = (why: string) => {
      fault = why;
      settle();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(`ended with ${code ?? signal}: ${output}`));
  });
  const listens = async () => {
    if (fault !== undefined) throw new Error(fault);
    return await isListening(port);
  };
  try {
    await until(listens, { withinMs: 30_000, onTimeout: () => 'does not listen after 30 s' });
  } finally {
    if (child.pid && fault === undefined) {
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    }
  }
  return 'starts and listens';
}

async function collectWithMaven(directory: string, { say, signal }: Obtain) {
  for (const command of ['java', 'mvn']) if (!(await findOnPath(command))) throw new Error(`${command} is not on PATH`);
  say(`Time-skipping server: fetching ${version} and its dependencies with Maven (38 MB)`);
  await writeFile(join(directory, 'pom.xml'), pom);
  const goals = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
  await runStep('mvn', ['-B', ...goals], {
    say,
    signal,
    cwd: directory,
    describe: (lines) => `Time-skipping server: Maven is working, ${lines} lines printed`,
  });
  const path = join(directory, executable);
  await writeFile(path, wrapper);
  await chmod(path, 0o755);
}

/**
 * Returns a working time-skipping test server as `executable` for `createTimeSkipping({ server: { executable } })`.
 * If `TEMPORAL_TEST_SERVER_PATH` is set, tries only that. Otherwise tries our cache, the SDK's official download and
 * Maven, in this order. With Maven the executable is a script that runs the downloaded jars.
 * @throws {SetupError} if none works. The message says what to install.
 */
export async function obtainTimeSkippingServer(options: Obtain): Promise<{ type: 'existing-path'; path: string }> {
  const { say, signal } = options;
  const entry = toCachePath('temporal-test-server', version);
  const { cached, filled } = createCacheSources(entry, executable, checkTimeSkippingServer);
  const download = (directory: string) =>
    downloadThroughSdk(directory, executable, { kind: 'time-skipping', version: `v${version}`, say, signal });
  const path = await obtainFirstWorking(
    {
      what: 'Time-skipping server',
      variable: 'TEMPORAL_TEST_SERVER_PATH',
      check: checkTimeSkippingServer,
      sources: [
        cached,
        filled('the official download', download),
        filled('Maven', (directory) => collectWithMaven(directory, options)),
      ],
      advice:
        'Install Java 17 (https://adoptium.net) and Maven (https://maven.apache.org), or set TEMPORAL_TEST_SERVER_PATH to a temporal-test-server.',
    },
    options,
  );
  return { type: 'existing-path', path };
}
