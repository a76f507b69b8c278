import { readFileSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'dotenv';
import { policySchema } from '../policy.ts';
import { isServerAddress, settings, toMs, toNumber } from './settings.ts';

export type Environment = Record<string, string | undefined>;

/** Every fault of an environment in one message; `exitCode` is sysexits' EX_CONFIG. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly exitCode = 78;
  constructor(faults: string[]) {
    super(
      `Configuration: ${faults.length === 1 ? 'one fault' : `${faults.length} faults`}\n${faults.map((f) => `  ${f}`).join('\n')}`,
    );
  }
}

const toNames = (text: string) => text.split(',').map((name) => name.trim());

/** Each variable about trying: the policy's field, and how its text becomes one. `policySchema` alone knows the bounds. */
const policyVariables: Record<string, [field: string, convert: (text: string) => unknown]> = {
  JOB_TIMEOUT: ['startToCloseTimeoutMs', toMs],
  HEARTBEAT_TIMEOUT: ['heartbeatTimeoutMs', toMs],
  MAX_ATTEMPTS: ['maximumAttempts', toNumber],
  BASE_DELAY: ['initialIntervalMs', toMs],
  BACKOFF_COEFFICIENT: ['backoffCoefficient', toNumber],
  MAX_DELAY: ['maximumIntervalMs', toMs],
  JITTER: ['jitter', toNumber],
  NON_RETRYABLE_ERRORS: ['nonRetryableErrorTypes', toNames],
};

const toPolicyInput = (env: Environment) =>
  Object.fromEntries(
    Object.entries(policyVariables).flatMap(([variable, [field, convert]]) => {
      const text = env[variable];
      return text === undefined ? [] : [[field, convert(text)]];
    }),
  );

/** The variable behind a field of the policy. */
const toPolicyVariable = (field: unknown) =>
  Object.keys(policyVariables).find((variable) => policyVariables[variable]?.[0] === field) ?? 'JOB_TIMEOUT';

/** The names of loopback that the API answers to without keys (see `guardOrigin`). */
const isLoopback = (host: string) => /^(localhost|127\.0\.0\.1|::1)$/.test(host);

/** The variable whose file cannot be read; where it is none of those, what concerns Temporal as a whole. */
function toTemporalVariable(env: Environment, error: unknown): string {
  const { path } = error as NodeJS.ErrnoException;
  const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return names.find((name) => path !== undefined && env[name] === path) ?? 'TEMPORAL_*';
}

/**
 * The whole configuration from environment variables (`docs/configuration.md` lists them); pure, so that a test calls it
 * with a literal. An empty string counts as unset.
 * @throws {ConfigError} with every fault at once, each naming its variable; secrets are not repeated.
 */
export function loadConfig(environment: Environment) {
  const env: Environment = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const faults: string[] = [];
  const report = (variable: string, message: string) => {
    const line = `${variable} ${message}`;
    if (!faults.includes(line)) faults.push(line);
  };

  const parsed = settings.safeParse(env);
  for (const issue of parsed.error?.issues ?? []) report(String(issue.path[0]), issue.message);
  const policy = policySchema.safeParse(toPolicyInput(env));
  for (const issue of policy.error?.issues ?? []) report(toPolicyVariable(issue.path[0]), issue.message);
  if (env.HEARTBEAT_TIMEOUT && toNumber(env.HEARTBEAT_TIMEOUT) < 1)
    report('HEARTBEAT_TIMEOUT', 'must be at least 1 second');
  if (env.HOST && !isLoopback(env.HOST) && !env.API_KEYS)
    report('HOST', 'is not loopback: set API_KEYS before you open the API to a network');

  if (parsed.data && parsed.data.WORKERS > 1 && parsed.data.WORKER_METRICS_ADDRESS.port > 0)
    report('WORKER_METRICS_ADDRESS', 'must have port 0 with more than one of WORKERS: each needs a port of its own');

  let temporal: ReturnType<typeof loadClientConnectConfig> | undefined;
  try {
    temporal = loadClientConnectConfig({ overrideEnvVars: env as Record<string, string> });
  } catch (error) {
    // Only the first line: after a fault in TOML come lines of the file, and an API key may be among them.
    const [fault] = (error instanceof Error ? error.message : String(error)).split('\n');
    report(toTemporalVariable(env, error), `cannot be read: ${fault}`);
  }
  const profileAddress = temporal?.connectionOptions.address;
  if (!env.TEMPORAL_ADDRESS && profileAddress && !isServerAddress(profileAddress))
    report('TEMPORAL_PROFILE', 'names an address that is not host:port');
  if (!parsed.success || !policy.success || !temporal || faults.length > 0) throw new ConfigError(faults);

  const { data } = parsed;
  const { address, ...connection } = temporal.connectionOptions;
  return Object.freeze({
    upstreamUrl: data.API_BASE_URL,
    upstreamIsDefault: env.API_BASE_URL === undefined,
    policy: policy.data,
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
    /** Undefined when `TEMPORAL_ADDRESS` or a profile names a server: then none is started. */
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

/** The process's environment over `.env` (CRLF and a BOM are fine); a missing `.env` is no fault. */
export function loadEnvironment(path = '.env'): Environment {
  try {
    return { ...parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')), ...process.env };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...process.env };
    throw new ConfigError([`.env cannot be read: ${(error as NodeJS.ErrnoException).code}`]);
  }
}

/** The configuration of this process; on a fault says every one on stderr and exits with code 78, before anything listens. */
export function loadConfigOrExit(): Config {
  try {
    return loadConfig(loadEnvironment());
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(error.exitCode);
  }
}
