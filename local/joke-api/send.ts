import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import { type Behaviour, isBodiless } from './behaviour.ts';
import type { Outcome } from './ledger.ts';

/** Records what was sent. `send` calls `status` with the sent status, and `ends` for `cutShort`, `reset` or `hang`. */
export type Recorder = { status(status: number): void; ends(as: Outcome): void };

/** The delay between the last byte and the reset, which gives the client time to read the bytes. */
const beforeResetMs = 20;
const opening = Buffer.from('{"value":"');
const filler = Buffer.from('ha '.repeat(21_845));

function* slices(body: Answer['body'], size: number) {
  if (body === 'endless') {
    yield opening;
    for (;;) yield filler.subarray(0, size);
  }
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size);
}

/** Resolves when the kernel has taken the bytes. Waiting for that keeps an endless body from filling our memory. */
const write = (response: ServerResponse, bytes: Buffer) =>
  new Promise<void>((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

/** Writes the body at the given rate, but not its last slice. Returns that slice, which the caller sends. */
async function writeMost(
  response: ServerResponse,
  body: Answer['body'],
  bytesPerSecond: number | undefined,
  signal: AbortSignal,
): Promise<Buffer> {
  const pauseMs = bytesPerSecond ? Math.max(50, 1_000 / bytesPerSecond) : 0;
  const size = bytesPerSecond ? Math.max(1, Math.round((bytesPerSecond * pauseMs) / 1_000)) : filler.length;
  let held: Buffer | undefined;
  for (const slice of slices(body, size)) {
    if (held) await write(response, held);
    if (held && pauseMs > 0) await pause(pauseMs, undefined, { signal });
    held = slice;
  }
  return held ?? Buffer.alloc(0);
}

/**
 * Sends `answer` as `behaviour` says. With `hang`, returns when the silence begins, and the request stays open until
 * the client leaves.
 * @throws {Error} if `signal` aborts during a pause, or if a write fails. In both cases the connection is closed.
 */
export async function send(
  response: ServerResponse,
  answer: Answer,
  behaviour: Behaviour,
  record: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const { hang, reset, cutShort, delayMs = 0, bytesPerSecond } = behaviour;
  const { status, headers, body } = answer;
  const abort = () => {
    record.ends('reset');
    response.socket?.resetAndDestroy();
  };

  if (delayMs > 0) await pause(delayMs, undefined, { signal });
  if (hang === 'headers') return record.ends('hung');
  if (reset === 'before-headers') return abort();

  // Close the connection after an informational status (nothing follows it) and after an answer that is cut short.
  if (status < 200 || cutShort) response.shouldKeepAlive = false;
  const unfinished = hang || reset || cutShort;
  const length =
    body === 'endless' || isBodiless(status) ? {} : { 'content-length': body.length + (unfinished ? 1 : 0) };
  response.writeHead(status, { ...headers, ...length });
  record.status(status);
  if (body !== 'endless' && !unfinished && !bytesPerSecond) return void response.end(body);

  response.flushHeaders();
  const part = unfinished && body !== 'endless' ? body.subarray(0, body.length / 2) : body;
  const last = await writeMost(response, part, bytesPerSecond, signal);
  if (!hang && !reset) {
    if (cutShort) record.ends('cut-short');
    return void response.end(last);
  }
  await write(response, last);
  if (hang) return record.ends('hung');
  await pause(beforeResetMs, undefined, { signal });
  abort();
}
