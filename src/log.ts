import { type Logger, type LoggerOptions, pino } from 'pino';
import pretty from 'pino-pretty';
import type { Config } from './config/config.ts';

export type { Logger };

/** The process's log: JSON lines, an entry a line; pretty on a terminal, where only an error's stack takes more. */
export function createLog({ logLevel }: Pick<Config, 'logLevel'>, door: 'api' | 'worker'): Logger {
  const options: LoggerOptions = { level: logLevel, base: { door, pid: process.pid } };
  return process.stdout.isTTY
    ? pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' }))
    : // At the exit, pino's own would try the lines that a reader who has gone does not take again and again.
      pino(options, pino.destination({ sync: true }));
}
