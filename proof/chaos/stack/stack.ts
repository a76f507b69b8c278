import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import type { Say } from '../../../cli/progress.ts';
import { createJokeApiClient } from '../../../local/joke-api/joke-api-client.ts';
import { obtainTemporalCli } from '../../../local/obtain/temporal-cli.ts';
import { findFreePort, isListening } from '../../../local/processes/ports.ts';
import { prepareTemporal, temporalServer } from '../../../local/temporal/embedded-temporal.ts';
import { type Config, type Environment, loadConfig, loadEnvironment } from '../../../src/config/config.ts';
import { createPart, type Part } from './part.ts';
import { startProxy } from './proxy.ts';

const jokeApiScript = fileURLToPath(new URL('../../../scripts/joke-api.ts', import.meta.url));

/**
 * The waits are short, so that a run of minutes has many attempts: 0.5, 1, 2, 4 and 4 s, up to a fifth longer by
 * jitter. Even shorter waits would change little, because the server's timers take about 1 s.
 */
const policyEnvironment: Environment = {
  BASE_DELAY: '0.5',
  BACKOFF_COEFFICIENT: '2',
  MAX_DELAY: '4',
  MAX_ATTEMPTS: '6',
  JITTER: '0.2',
  HEARTBEAT_TIMEOUT: '2',
  JOB_TIMEOUT: '10',
  WORKER_CONCURRENCY: '10',
  SHUTDOWN_GRACE: '3',
};

const apis = 2;
const workers = 3;

type Options = {
  /** The directory for Temporal's data. */
  directory: string;
  logs: string;
  /** The `dist/` of the build under test. */
  dist: string;
  /** If true, Temporal keeps nothing on disk. Used by one of the mutants. */
  inMemory?: boolean;
  say: Say;
  signal: AbortSignal;
};

/**
 * Starts the stack under test: Temporal on a WAL file, two APIs, three workers and the joke API as processes, with a
 * TCP proxy in front of each API, of Temporal and of the upstream. `stop` ends all of them.
 * @throws {SetupError} if a part does not become ready. The message quotes the end of its log.
 */
export async function startProvedStack({ directory, logs, dist, inMemory = false, say, signal }: Options) {
  const dataDir = join(directory, 'data');
  for (const path of [logs, dataDir]) mkdirSync(path, { recursive: true });
  const explicitPath = loadEnvironment().TEMPORAL_CLI_PATH || undefined;
  const cli = await obtainTemporalCli({ explicitPath, say, signal });

  const temporalPort = await findFreePort();
  const jokePort = await findFreePort();
  const temporalProxy = await startProxy(temporalPort);
  const upstreamProxy = await startProxy(jokePort);
  const system = { PATH: process.env.PATH, HOME: process.env.HOME };
  const environment: Environment = {
    ...system,
    ...policyEnvironment,
    LOG_LEVEL: 'info',
    API_BASE_URL: `http://127.0.0.1:${upstreamProxy.port}`,
    TEMPORAL_ADDRESS: `127.0.0.1:${temporalProxy.port}`,
    DATA_DIR: dataDir,
  };
  const config: Config = loadConfig(environment);
  const server = temporalServer(cli, { port: temporalPort, uiPort: await findFreePort(), retentionDays: 1 }, config);
  const temporalAddress = `127.0.0.1:${temporalPort}`;

  const temporal = createPart({
    name: 'temporal',
    role: 'temporal',
    command: server.command,
    args: inMemory ? withoutFile(server.args) : server.args,
    cwd: dataDir,
    env: { ...system, ...server.env },
    logs,
    signal,
    port: temporalPort,
    isReady: async () =>
      (await isListening(temporalPort)) &&
      (await prepareTemporal({ address: temporalAddress, namespace: config.temporal.namespace }, 1, signal).then(
        () => true,
        () => false,
      )),
  });
  const jokeApi = createPart({
    name: 'joke-api',
    role: 'upstream',
    command: process.execPath,
    args: nodeArguments(jokeApiScript),
    cwd: dataDir,
    env: { ...system, JOKE_API_PORT: String(jokePort) } as NodeJS.ProcessEnv,
    logs,
    signal,
    port: jokePort,
    isReady: () => answers(`http://127.0.0.1:${jokePort}/admin/health`),
  });
  const apiPorts: number[] = [];
  while (apiPorts.length < apis) apiPorts.push(await findFreePort());
  const apiParts = apiPorts.map((port, index) =>
    createPart({
      name: `api-${index + 1}`,
      role: 'api',
      command: process.execPath,
      args: [join(dist, 'server.js')],
      cwd: dataDir,
      env: { ...environment, PORT: String(port) } as NodeJS.ProcessEnv,
      logs,
      signal,
      port,
      isReady: () => answers(`http://127.0.0.1:${port}/health`),
    }),
  );
  const workerParts = Array.from({ length: workers }, (_, index) =>
    createPart({
      name: `worker-${index + 1}`,
      role: 'worker',
      command: process.execPath,
      args: [join(dist, 'worker.js')],
      cwd: dataDir,
      env: environment as NodeJS.ProcessEnv,
      logs,
      signal,
      isReady: async (log) => (await readFile(log, 'utf8').catch(() => '')).includes('Worker ready'),
    }),
  );
  const parts: Part[] = [temporal, jokeApi, ...apiParts, ...workerParts];
  const clientProxies = await Promise.all(apiPorts.map(startProxy));
  const proxies = [...clientProxies, temporalProxy, upstreamProxy];

  const stack = {
    config,
    parts,
    logs,
    temporalAddress,
    clientProxies,
    temporalProxy,
    upstreamProxy,
    /** The URLs that clients use. They lead to the APIs through the proxies. */
    urls: clientProxies.map(({ port }) => `http://127.0.0.1:${port}`),
    jokeApi: createJokeApiClient({ url: `http://127.0.0.1:${jokePort}`, signal }),
    /** Stops the APIs and workers, then Temporal and the joke API, then the proxies. */
    async stop() {
      await Promise.all([...apiParts, ...workerParts].map((part) => part.stop()));
      await Promise.all([temporal, jokeApi].map((part) => part.stop()));
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
  try {
    await Promise.all([temporal.start(), jokeApi.start()]);
    await Promise.all([...apiParts, ...workerParts].map((part) => part.start()));
    signal.throwIfAborted();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

export type ProvedStack = Awaited<ReturnType<typeof startProvedStack>>;

/** Returns the arguments without the flags for the database file. */
function withoutFile(args: string[]): string[] {
  const dropped = ['--db-filename', '--sqlite-pragma'];
  return args.filter((arg, index) => !dropped.includes(arg) && !dropped.includes(args[index - 1] ?? ''));
}

const answers = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    (response) => response.body?.cancel().then(() => response.ok) ?? response.ok,
    () => false,
  );
