import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import type { Say } from '../../../cli/progress.ts';
import { createJokeApiClient } from '../../../local/joke-api/joke-api-client.ts';
import { obtainTemporal } from '../../../local/obtain/temporal.ts';
import { findFreePort, isListening } from '../../../local/processes/ports.ts';
import { temporalServer } from '../../../local/temporal/embedded-temporal.ts';
import { prepareTemporal } from '../../../local/temporal/prepare-temporal.ts';
import { loadConfig, loadEnvironment } from '../../../src/config/config.ts';
import type { Link, Role } from '../types.ts';
import { system, toEnvironment } from './environment.ts';
import { createPart, type Part } from './part.ts';
import { startProxy, type TcpProxy } from './proxy.ts';

const jokeApiScript = fileURLToPath(new URL('../../../scripts/joke-api.ts', import.meta.url));

const apiCount = 2;
const workerCount = 3;

type Options = {
  /** The directory for Temporal's data. */
  directory: string;
  logs: string;
  /** The `dist/` of the build under test. */
  dist: string;
  /** If true, Temporal keeps nothing on disk. One of the mutants needs this. */
  inMemory?: boolean;
  say: Say;
  signal: AbortSignal;
};

/**
 * Starts the stack under test: Temporal on SQLite in WAL mode, two APIs, three workers and the joke API as processes,
 * with a TCP proxy in front of each API, of Temporal and of the upstream. `stop` ends all of them.
 * @throws {SetupError} if a part does not become ready. The message quotes the end of that part's log.
 */
export async function startProvedStack({ directory, logs, dist, inMemory = false, say, signal }: Options) {
  const dataDir = join(directory, 'data');
  for (const path of [logs, dataDir]) mkdirSync(path, { recursive: true });
  const explicitPath = loadEnvironment().TEMPORAL_CLI_PATH || undefined;
  const program = await obtainTemporal({ explicitPath, say, signal });

  const temporalPort = await findFreePort();
  const jokePort = await findFreePort();
  const temporalProxy = await startProxy(temporalPort);
  const upstreamProxy = await startProxy(jokePort);
  const environment = toEnvironment({ dataDir, temporal: temporalProxy.port, upstream: upstreamProxy.port });
  const config = loadConfig(environment);
  const { namespace } = config.temporal;
  const server = await temporalServer(program, { directory: dataDir, port: temporalPort, namespace, inMemory });
  /** This connection leads to Temporal directly, not through the proxy. */
  const connection = { ...config.temporal, address: `127.0.0.1:${temporalPort}` };

  const shared = { cwd: dataDir, logs, signal, command: process.execPath };
  const temporal = createPart({
    ...shared,
    name: 'temporal',
    command: server.command,
    args: server.args,
    env: { ...system, ...server.env },
    port: temporalPort,
    async isReady() {
      if (!(await isListening(temporalPort))) return false;
      await prepareTemporal(connection, 1, signal);
      return true;
    },
  });
  const jokeApi = createPart({
    ...shared,
    name: 'joke-api',
    args: nodeArguments(jokeApiScript),
    env: { ...system, JOKE_API_PORT: String(jokePort) },
    port: jokePort,
    isReady: () => answers(`http://127.0.0.1:${jokePort}/admin/health`),
  });
  const apiPorts = await Promise.all(Array.from({ length: apiCount }, findFreePort));
  const apis = apiPorts.map((port, index) =>
    createPart({
      ...shared,
      name: `api-${index + 1}`,
      args: [join(dist, 'server.js')],
      env: { ...environment, PORT: String(port) },
      port,
      isReady: () => answers(`http://127.0.0.1:${port}/health`),
    }),
  );
  const workers = Array.from({ length: workerCount }, (_, index) =>
    createPart({
      ...shared,
      name: `worker-${index + 1}`,
      args: [join(dist, 'worker.js')],
      env: environment,
      isReady: async (log) => (await readFile(log, 'utf8')).includes('Worker ready'),
    }),
  );
  const servers = [temporal, jokeApi];
  const holdfast = [...apis, ...workers];
  const clients = await Promise.all(apiPorts.map(startProxy));
  const proxies: Record<Link, TcpProxy[]> = { clients, temporal: [temporalProxy], upstream: [upstreamProxy] };

  const stack = {
    config,
    parts: [...servers, ...holdfast],
    byRole: { temporal: [temporal], api: apis, worker: workers } satisfies Record<Role, Part[]>,
    proxies,
    connection,
    /** The URLs that clients use. They lead to the APIs through the proxies. */
    urls: clients.map(({ port }) => `http://127.0.0.1:${port}`),
    jokeApi: createJokeApiClient({ url: `http://127.0.0.1:${jokePort}`, signal }),
    /** Stops the APIs and workers, then Temporal and the joke API, then the proxies. */
    async stop() {
      await Promise.all(holdfast.map((part) => part.stop()));
      await Promise.all(servers.map((part) => part.stop()));
      await Promise.all(Object.values(proxies).flatMap((all) => all.map((proxy) => proxy.close())));
    },
  };
  try {
    await Promise.all(servers.map((part) => part.start()));
    await Promise.all(holdfast.map((part) => part.start()));
    signal.throwIfAborted();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

export type ProvedStack = Awaited<ReturnType<typeof startProvedStack>>;

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
  await response.body?.cancel();
  return response.ok;
}
