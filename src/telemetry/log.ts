import { type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from '../config/config.ts';

export type { Logger };

/** pino-pretty, if stdout is a terminal. It is a development dependency, so a production install does not have it. */
const pretty = process.stdout.isTTY ? (await import('pino-pretty').catch(() => undefined))?.default : undefined;

/**
 * Returns the log of this process. The log writes JSON lines to stdout. If stdout is a terminal and pino-pretty is
 * installed, the log writes readable text instead.
 */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, name: 'api' | 'worker'): Logger {
  const options: LoggerOptions = { level: logLevel, base: { process: name, pid: process.pid } };
  return pretty
    ? pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' }))
    : // At exit, pino's default destination retries unwritten lines. With a closed stdout, the process would never end.
      pino(options, pino.destination({ sync: true }));
}
