import { constants, fstatSync, openSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { type Logger, type LoggerOptions, pino } from 'pino';
import type { Config } from '../config/config.ts';

export type { Logger };

/** pino-pretty, if stdout is a terminal. It is a development dependency, so a production install does not have it. */
const pretty = process.stdout.isTTY ? (await import('pino-pretty').catch(() => undefined))?.default : undefined;

/** How many bytes may wait for a reader that is slow or does not read at all. */
const maximumWaitingBytes = 1_048_576;

/** How long the end of the process waits until all lines are written. */
const flushMs = 1_000;

/**
 * Opens stdout a second time, because the non-blocking mode would otherwise affect every process that shares stdout.
 * Returns stdout itself where this is not possible: for sockets, for pipes of another user, on systems without /proc.
 */
function openStdout(): number {
  try {
    return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return 1;
  }
}

/**
 * Returns a destination that writes to stdout. If stdout is a pipe or a socket, no write waits for the reader, because
 * a reader that stops reading would then stop the whole process. Lines wait in a buffer. When the buffer is full, lines
 * are dropped, and `onDrop` is called for each. `onDrain` is called when the buffer is empty again. If stdout is a
 * file, lines that a full disk refuses are dropped as well.
 */
export function createOutput({ onDrop = () => {}, onDrain = () => {} } = {}) {
  const stdout = fstatSync(1);
  if (isatty(1)) return pino.destination({ sync: true });
  // Pino's destination would throw for each line that a full disk refuses, so that what logs the line fails. At exit it
  // retries these lines, and also the lines for a closed pipe: the process would never end.
  if (!stdout.isFIFO() && !stdout.isSocket())
    return {
      write(line: string): void {
        try {
          writeFileSync(1, line);
        } catch {
          onDrop();
        }
      },
      flush: (done: () => void) => done(),
    };
  let stream: Socket | undefined;
  const open = () => {
    stream = new Socket({ fd: openStdout(), readable: false, writable: true });
    return stream.on('error', () => {}).on('drain', onDrain);
  };
  return {
    write(line: string): void {
      // Opens at the first line, because the first use of `process.stdout` makes a socket blocking again.
      stream ??= open();
      if (stream.writable && stream.writableLength < maximumWaitingBytes) stream.write(line);
      else onDrop();
    },
    /** Calls `done` when all lines are written, or after a second. */
    flush(done: () => void): void {
      if (!stream?.writable) done();
      else {
        setTimeout(done, flushMs);
        stream.end(done);
      }
    },
  };
}

/**
 * Returns the log of this process. The log writes JSON lines to stdout. If stdout is a terminal and pino-pretty is
 * installed, the log writes readable text instead. Call `flush` before the process exits. `onDrop` is called for each
 * line that is dropped because the reader of stdout is too slow.
 */
export function createLog(
  { logLevel }: Pick<Config, 'logLevel'>,
  name: 'api' | 'worker',
  onDrop: () => void = () => {},
): Logger {
  const options: LoggerOptions = { level: logLevel, base: { process: name, pid: process.pid } };
  if (pretty)
    return pino(options, pretty({ sync: true, singleLine: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' }));
  let dropped = 0;
  const output = createOutput({
    onDrop: () => {
      dropped += 1;
      onDrop();
    },
    onDrain: () => {
      if (dropped > 0) log.warn({ dropped }, 'The reader of the log was too slow: lines were dropped');
      dropped = 0;
    },
  });
  const log = pino(options, output);
  return log;
}
