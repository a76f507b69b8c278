import { readFileSync } from 'node:fs';
import { isLoopback } from '../loopback.ts';
import type { Proxies } from '../outbound/dispatcher.ts';
import { parseDotenv } from './dotenv.ts';
import { parsePolicy, policyVariables } from './policy-variables.ts';
import { lowerCaseProxyVariables, proxySettings, toProxies, toProxyVariables } from './proxy-variables.ts';
import { isServerAddress, settings } from './settings.ts';
import { parseTemporal, temporalVariables } from './temporal-variables.ts';
import { toWarnings } from './warnings.ts';

export type Environment = Record<string, string | undefined>;

/** An error that lists all faults of an environment, then its warnings. `exitCode` is EX_CONFIG of sysexits.h. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly exitCode = 78;
  constructor(faults: string[], warnings: string[] = []) {
    const title = `Configuration: ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}`;
    super([title, ...faults.map((fault) => `  ${fault}`), ...warnings.map((warning) => `  ${warning}`)].join('\n'));
  }
}

/** The variables that only the client commands read. */
export const clientVariables = ['HOLDFAST_URL', 'HOLDFAST_API_KEY'];

/** The variables that Holdfast reads. */
export const knownVariables = [
  ...Object.keys(settings.shape),
  ...policyVariables,
  ...temporalVariables,
  ...clientVariables,
];

/**
 * Returns the proxies of an environment. For commands that need no other part of the configuration.
 * @throws {ConfigError} if one of them is not valid.
 */
export function loadProxies(environment: Environment): Proxies {
  const { data, error } = proxySettings.safeParse(toProxyVariables(environment));
  if (!data) throw new ConfigError(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`));
  return toProxies(data);
}

/**
 * Returns the configuration of an environment. `docs/configuration.md` lists the variables. An empty variable counts
 * as unset.
 * @throws {ConfigError} that lists all faults, and then the warnings, which may explain them. Each fault names its
 *   variable and repeats no secret.
 */
export function loadConfig(environment: Environment) {
  const given = Object.entries(environment).filter(([, value]) => value !== '');
  const env: Environment = { ...Object.fromEntries(given), ...toProxyVariables(environment) };
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
  const owners = parsed.data?.API_KEYS?.map(({ owner }) => owner);
  if (owners && parsed.data?.OPERATORS.some((name) => !owners.includes(name)))
    report('OPERATORS', 'has a name that API_KEYS does not have');
  const profileAddress = temporal?.connectionOptions.address;
  if (!env.TEMPORAL_ADDRESS && profileAddress && !isServerAddress(profileAddress))
    report('TEMPORAL_PROFILE', 'names an address that is not host:port');
  const warnings = toWarnings(Object.keys(env), [...knownVariables, ...lowerCaseProxyVariables]);
  if (!parsed.success || !policy || !temporal || faults.size > 0) throw new ConfigError([...faults], warnings);

  const { data } = parsed;
  const { address, ...connection } = temporal.connectionOptions;
  return Object.freeze({
    upstreamUrl: data.API_BASE_URL,
    upstreamIsDefault: env.API_BASE_URL === undefined,
    proxies: toProxies(data),
    policy,
    workerConcurrency: data.WORKER_CONCURRENCY,
    shutdownGraceMs: data.SHUTDOWN_GRACE * 1_000,
    host: data.HOST,
    port: data.PORT,
    keepAliveMs: data.KEEP_ALIVE_SECONDS * 1_000,
    apiKeys: data.API_KEYS ?? [],
    maxConnections: data.MAX_CONNECTIONS,
    operators: data.OPERATORS,
    rateLimit: data.RATE_LIMIT,
    readRateLimit: data.READ_RATE_LIMIT,
    itemRateLimit: data.ITEM_RATE_LIMIT,
    logLevel: data.LOG_LEVEL,
    taskQueue: data.TASK_QUEUE,
    dataDir: data.DATA_DIR,
    workers: data.WORKERS,
    maxInFlight: data.MAX_IN_FLIGHT,
    engine: data.ENGINE,
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
    /** Log lines about variables and lines of `.env` that have no effect. */
    warnings,
  });
}

export type Config = ReturnType<typeof loadConfig>;

/**
 * Returns the variables of `.env` and of this process. If both set a variable, the process wins. `.env` may be
 * missing, may have CRLF and a BOM, and may be in UTF-16.
 * @throws {ConfigError} if `.env` exists but cannot be read or decoded.
 */
export function loadEnvironment(path = '.env'): Environment {
  try {
    return { ...parseDotenv(readFileSync(path)), ...process.env };
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(['.env is not text in UTF-8: save it in that encoding']);
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
