import { type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from '../config/config.ts';

export type { Logger };

/** Only for a terminal, and a development dependency: a production install does not have it. */
const pretty = process.stdout.isTTY ? (await import('pino-pretty').catch(() => undefined))?.default : undefined;

/**
 * Returns the log of this process: JSON lines on stdout, or readable text if that is a terminal and pino-pretty is
 * installed.
 */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, name: 'api' | 'worker'): Logger {
  const options: LoggerOptions = { level: logLevel, base: { process: name, pid: process.pid } };
  return pretty
    ? pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' }))
    : // pino's own destination retries lost lines at exit, and never ends if stdout has been closed.
      pino(options, pino.destination({ sync: true }));
}
