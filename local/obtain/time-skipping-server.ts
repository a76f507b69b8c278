import { spawn } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../processes/free-port.ts';
import { isListening } from '../processes/is-listening.ts';
import { watchedServer } from '../time-skipping/watched-server.ts';
import { fillCache, findOnPath, isExecutable, toCachePath } from './cache.ts';
import { type Obtain, obtainFirstWorking } from './first-working.ts';
import { runStep } from './run-step.ts';
import { downloadThroughSdk } from './sdk-download.ts';

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

/** `exec`, or the Java process would outlive the shell that the SDK ends. */
const wrapper = `#!/bin/sh
LIB="$(cd "$(dirname "$0")" && pwd)/lib"
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$LIB/*" io.temporal.testserver.TestServer "$@"
`;

/** Starts it on a free port and waits until it listens. */
async function checkTimeSkippingServer(path: string): Promise<string> {
  const port = await findFreePort();
  const child = spawn(watchedServer, [String(port), path, 'loud'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    words = (words + text).slice(-300);
  });
  const ended = new Promise<string>((settle) => {
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`ended with ${code ?? signal}: ${words}`));
  });
  let fault: string | undefined;
  void ended.then((why) => {
    fault = why;
  });
  const deadline = performance.now() + 30_000;
  try {
    while (!(await isListening(port))) {
      if (fault !== undefined) throw new Error(fault);
      if (performance.now() > deadline) throw new Error('does not listen after 30 s');
      await sleep(50);
    }
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
  say(`Time-skipping server: fetching ${version} and what it needs with Maven, 38 MB`);
  await writeFile(join(directory, 'pom.xml'), pom);
  const goals = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
  await runStep('mvn', ['-B', ...goals], {
    say,
    signal,
    cwd: directory,
    describe: (lines) => `Time-skipping server: Maven at work, ${lines} lines`,
  });
  const path = join(directory, executable);
  await writeFile(path, wrapper);
  await chmod(path, 0o755);
}

/**
 * A time-skipping test server that was seen to listen, as `createTimeSkipping({ server: { executable } })` takes it:
 * `TEMPORAL_TEST_SERVER_PATH`, else our cache, the SDK's official download, the Maven artefact behind a script.
 * @throws {SetupError} naming what to install, if none works.
 */
export async function obtainTimeSkippingServer(options: Obtain): Promise<{ type: 'existing-path'; path: string }> {
  const { say, signal } = options;
  const entry = toCachePath('temporal-test-server', version);
  const cached = join(entry, executable);
  const obtain = (fill: (directory: string) => Promise<void>) => async () => {
    await fillCache(entry, { fill, check: (directory) => checkTimeSkippingServer(join(directory, executable)) });
    return cached;
  };
  const download = (directory: string) =>
    downloadThroughSdk(directory, executable, { kind: 'time-skipping', version: `v${version}`, say, signal });
  const path = await obtainFirstWorking(
    {
      what: 'Time-skipping server',
      variable: 'TEMPORAL_TEST_SERVER_PATH',
      check: checkTimeSkippingServer,
      sources: [
        { name: 'the cache', find: async () => ((await isExecutable(cached)) ? cached : undefined) },
        { name: 'the official download', find: obtain(download) },
        { name: 'Maven', find: obtain((directory) => collectWithMaven(directory, options)) },
      ],
      advice:
        'Install Java 17 (https://adoptium.net) and Maven (https://maven.apache.org), or set TEMPORAL_TEST_SERVER_PATH to a temporal-test-server.',
    },
    options,
  );
  return { type: 'existing-path', path };
}
