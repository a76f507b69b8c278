import { readFileSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'dotenv';
import { policySchema } from './policy.ts';
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

const optional = <T>(text: string | undefined, convert: (text: string) => T) =>
  text === undefined ? undefined : convert(text);

/** The policy's field behind each variable about trying; `policySchema` alone knows the bounds. */
const policyVariables: Record<string, string> = {
  startToCloseTimeoutMs: 'JOB_TIMEOUT',
  heartbeatTimeoutMs: 'HEARTBEAT_TIMEOUT',
  maximumAttempts: 'MAX_ATTEMPTS',
  initialIntervalMs: 'BASE_DELAY',
  backoffCoefficient: 'BACKOFF_COEFFICIENT',
  maximumIntervalMs: 'MAX_DELAY',
  jitter: 'JITTER',
  nonRetryableErrorTypes: 'NON_RETRYABLE_ERRORS',
};

const toPolicyInput = (env: Environment) => ({
  startToCloseTimeoutMs: optional(env.JOB_TIMEOUT, toMs),
  heartbeatTimeoutMs: optional(env.HEARTBEAT_TIMEOUT, toMs),
  maximumAttempts: optional(env.MAX_ATTEMPTS, toNumber),
  initialIntervalMs: optional(env.BASE_DELAY, toMs),
  backoffCoefficient: optional(env.BACKOFF_COEFFICIENT, toNumber),
  maximumIntervalMs: optional(env.MAX_DELAY, toMs),
  jitter: optional(env.JITTER, toNumber),
  nonRetryableErrorTypes: optional(env.NON_RETRYABLE_ERRORS, (text) => text.split(',').map((name) => name.trim())),
});

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
  for (const issue of policy.error?.issues ?? [])
    report(policyVariables[String(issue.path[0])] ?? 'JOB_TIMEOUT', issue.message);
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
