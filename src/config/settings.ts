import { z } from 'zod';
import { engines } from '../contract.ts';
import { toApiKeys, toOperators } from './api-keys.ts';
import { proxySettings } from './proxy-variables.ts';

export const maximumShutdownGraceSeconds = 3_600;

/** Parses a plain decimal number. Other texts (`5x`, `1e9`, `Infinity`, `-1`) become NaN, which schemas reject. */
export const toNumber = (text: string) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN);

function whole(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.string().transform(toNumber).pipe(z.int({ error }).min(min, error).max(max, error));
}

const port = whole(1, 65_535);

/** Whether `text` is host:port, with brackets around an IPv6 host. */
export function isServerAddress(text: string): boolean {
  const [, digits] = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(text) ?? [];
  return Number(digits) >= 1 && Number(digits) <= 65_535;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Returns the URL as a prefix for paths. Removes surrounding spaces, an empty `?` or `#`, and trailing slashes. */
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

/**
 * The environment variables and their defaults. Two groups are elsewhere: `policy-variables.ts` parses the variables of
 * the retry policy, and `@temporalio/envconfig` parses `TEMPORAL_*`. A `TEMPORAL_*` variable is in this schema only if
 * envconfig does not know it or does not check its value.
 */
export const settings = z.object({
  API_BASE_URL: z.string().default('https://api.chucknorris.io').transform(toUpstream),
  WORKER_CONCURRENCY: whole(1, 10_000).prefault('10'),
  SHUTDOWN_GRACE: z
    .string()
    .prefault('30')
    .transform(toNumber)
    .pipe(
      z
        .number({ error: `must be a number of seconds from 0 to ${maximumShutdownGraceSeconds}` })
        .max(maximumShutdownGraceSeconds, `must be at most ${maximumShutdownGraceSeconds} seconds`),
    ),
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be a host name or an IP address')
    .default('127.0.0.1'),
  PORT: port.prefault('8000'),
  KEEP_ALIVE_SECONDS: whole(1, 3_600).prefault('65'),
  API_KEYS: z.string().transform(toApiKeys).optional(),
  MAX_CONNECTIONS: whole(1, 1_000_000).prefault('10000'),
  OPERATORS: z.string().transform(toOperators).default([]),
  RATE_LIMIT: whole(0, 1_000_000).prefault('0'),
  READ_RATE_LIMIT: whole(0, 1_000_000).prefault('0'),
  ITEM_RATE_LIMIT: whole(0, 1_000_000).prefault('0'),
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
  ENGINE: z.enum(engines, { error: `must be ${engines.join(' or ')}` }).default('workflow'),
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
  TEMPORAL_ADDRESS: z.string().refine(isServerAddress, 'must be host:port').optional(),
  TEMPORAL_TLS: z.enum(['true', 'false', '1', '0'], { error: 'must be true or false' }).optional(),
  TEMPORAL_CLI_PATH: z.string().optional(),
  TEMPORAL_TEST_SERVER_PATH: z.string().optional(),
  ...proxySettings.shape,
});
