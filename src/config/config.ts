import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { parsePolicy } from './policy-variables.ts';
import { isServerAddress, settings } from './settings.ts';
import { parseTemporal } from './temporal-variables.ts';

export type Environment = Record<string, string | undefined>;

/** An error that lists all faults of an environment. `exitCode` is EX_CONFIG of sysexits.h. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly exitCode = 78;
  constructor(faults: string[]) {
    super(
      `Configuration: ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
  }
}

/** Whether the host is loopback. On loopback, the API may listen without API keys (see `api/http/origin.ts`). */
const isLoopback = (host: string) => /^(localhost|127\.0\.0\.1|::1)$/.test(host);

/**
 * Returns the configuration of an environment. `docs/configuration.md` lists the variables. An empty variable counts
 * as unset.
 * @throws {ConfigError} that lists all faults. Each fault names its variable and repeats no secret.
 */
export function loadConfig(environment: Environment) {
  const env: Environment = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const faults = new Set<string>();
  const report = (variable: string, message: string) => faults.add(`${variable} ${message}`);

  const parsed = settings.safeParse(env);
  for (const { path, message } of parsed.error?.issues ?? []) report(String(path[0]), message);
  const { policy, faults: policyFaults } = parsePolicy(env);
  const { temporal, faults: temporalFaults } = parseTemporal(env);
  for (const { variable, message } of [...policyFaults, ...temporalFaults]) report(variable, message);

  if (env.HOST && !isLoopback(env.HOST) && !env.API_KEYS)
    report('HOST', 'is not loopback: set API_KEYS before you open the API to a network');
  if (parsed.data && parsed.data.WORKERS > 1 && parsed.data.WORKER_METRICS_ADDRESS.port > 0)
    report('WORKER_METRICS_ADDRESS', 'must have port 0 if WORKERS is over 1: each worker needs a port of its own');
  const profileAddress = temporal?.connectionOptions.address;
  if (!env.TEMPORAL_ADDRESS && profileAddress && !isServerAddress(profileAddress))
    report('TEMPORAL_PROFILE', 'names an address that is not host:port');
  if (!parsed.success || !policy || !temporal || faults.size > 0) throw new ConfigError([...faults]);

  const { data } = parsed;
  const { address, ...connection } = temporal.connectionOptions;
  return Object.freeze({
    upstreamUrl: data.API_BASE_URL,
    upstreamIsDefault: env.API_BASE_URL === undefined,
    policy,
    workerConcurrency: data.WORKER_CONCURRENCY,
    shutdownGraceMs: data.SHUTDOWN_GRACE * 1_000,
    host: data.HOST,
    port: data.PORT,
    apiKeys: data.API_KEYS ?? [],
    rateLimit: data.RATE_LIMIT,
    logLevel: data.LOG_LEVEL,
    taskQueue: data.TASK_QUEUE,
    dataDir: data.DATA_DIR,
    workers: data.WORKERS,
    maxInFlight: data.MAX_IN_FLIGHT,
    jokeApiPort: data.JOKE_API_PORT,
    workerMetrics: data.WORKER_METRICS_ADDRESS,
    temporal: {
      ...connection,
      address: address ?? `127.0.0.1:${data.EMBEDDED_TEMPORAL_PORT}`,
      namespace: temporal.namespace ?? 'default',
    },
    /** Undefined if `TEMPORAL_ADDRESS` or a profile names a server. Then `npm start` embeds no server. */
    embedded: address
      ? undefined
      : {
          port: data.EMBEDDED_TEMPORAL_PORT,
          uiPort: data.EMBEDDED_TEMPORAL_UI_PORT,
          retentionDays: data.RETENTION_DAYS,
        },
    temporalCliPath: data.TEMPORAL_CLI_PATH,
    temporalTestServerPath: data.TEMPORAL_TEST_SERVER_PATH,
  });
}

export type Config = ReturnType<typeof loadConfig>;

/**
 * Returns the variables of `.env` and of this process. If both set a variable, the process wins. `.env` may be
 * missing, and may have CRLF and a BOM.
 * @throws {ConfigError} if `.env` exists but cannot be read.
 */
export function loadEnvironment(path = '.env'): Environment {
  try {
    return { ...parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')), ...process.env };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...process.env };
    throw new ConfigError([`.env cannot be read: ${(error as NodeJS.ErrnoException).code}`]);
  }
}

/** Returns this process's configuration. For a faulty one, prints the faults to stderr and exits with code 78. */
export function loadConfigOrExit(): Config {
  try {
    return loadConfig(loadEnvironment());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(error.exitCode);
  }
}
