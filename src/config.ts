import { readFileSync } from 'node:fs';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { parse } from 'dotenv';
import { z } from 'zod';
import { toApiKeys } from './api-keys.ts';
import { policySchema } from './policy.ts';

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

/** Only plain decimals are numbers: `5x`, `1e9`, `Infinity` and `-1` become NaN, which every schema below refuses. */
const toNumber = (text: string) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN);
const toMs = (text: string) => toNumber(text) * 1_000;
const optional = <T>(text: string | undefined, convert: (text: string) => T) =>
  text === undefined ? undefined : convert(text);

function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.string().transform(toNumber).pipe(z.int({ error }).min(min, error).max(max, error));
}

const port = whole(1, 65_535);
const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The upstream's address as `/jokes/random` can follow it: blanks, an empty `?` or `#` and the last slashes are gone. */
function toUpstream(text: string, context: z.RefinementCtx): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fault =
    !url || !['http:', 'https:'].includes(url.protocol)
      ? 'must be an http:// or https:// URL'
      : url.username || url.password
        ? 'must not carry credentials'
        : url.search || url.hash
          ? 'must not carry a query or a fragment'
          : undefined;
  if (fault) context.addIssue({ code: 'custom', message: fault });
  return url ? `${url.origin}${url.pathname}`.replace(/\/+$/, '') : '';
}

const settings = z.object({
  API_BASE_URL: z.string().default('https://api.chucknorris.io').transform(toUpstream),
  WORKER_CONCURRENCY: whole(1, 10_000).prefault('10'),
  SHUTDOWN_GRACE: z
    .string()
    .prefault('30')
    .transform(toNumber)
    .pipe(z.number({ error: 'must be a number of seconds from 0 to 3600' }).max(3_600, 'must be at most 3600 seconds')),
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be a host name or an IP address')
    .default('127.0.0.1'),
  PORT: port.prefault('8000'),
  API_KEYS: z.string().transform(toApiKeys).optional(),
  RATE_LIMIT: whole(0, 1_000_000).prefault('0'),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  TASK_QUEUE: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 visible ASCII characters')
    .default('holdfast'),
  DATA_DIR: z.string().default('.data'),
  EMBEDDED_TEMPORAL_PORT: port.prefault('7233'),
  EMBEDDED_TEMPORAL_UI_PORT: port.prefault('8233'),
  WORKERS: whole(1, 64).prefault('1'),
  MAX_IN_FLIGHT: whole(1, 100_000).prefault('500'),
  RETENTION_DAYS: whole(1, 3_650).prefault('7'),
  JOKE_API_PORT: port.prefault('8100'),
  WORKER_METRICS_ADDRESS: z
    .string()
    .default('127.0.0.1:0')
    .transform((text, context) => {
      const [, host, digits] = /^([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(text) ?? [];
      if (!host || Number(digits) > 65_535)
        context.addIssue({ code: 'custom', message: 'must be host:port, port 0 for any free one' });
      return { host: host?.replace(/[[\]]/g, '') ?? '', port: Number(digits) };
    }),
  TEMPORAL_CLI_PATH: z.string().optional(),
  TEMPORAL_TEST_SERVER_PATH: z.string().optional(),
});

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

export const isLoopback = (host: string) => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

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

  let temporal: ReturnType<typeof loadClientConnectConfig> | undefined;
  try {
    temporal = loadClientConnectConfig({ overrideEnvVars: env as Record<string, string> });
  } catch (error) {
    // Only the first line: after a fault in TOML come lines of the file, and an API key may be among them.
    report('TEMPORAL_*', `cannot be read: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`);
  }
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
