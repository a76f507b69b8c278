import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import type { Admission } from './admission.ts';
import { isAlreadyStarted, Refused } from './errors.ts';
import { createRetention } from './retention.ts';
import type { WriteCheck } from './write-check.ts';

/** Who submits. The rate limits count the starts of each `rateLimitKey`. */
type Caller = { owner: string; rateLimitKey: string; idempotencyKey: string | undefined };

type First<T> = { value: T; fingerprint: string | undefined };

type Start<T> = {
  id: string;
  /** The number of items of a batch. */
  itemCount?: number;
  /** Starts the task or batch. Temporal refuses a second one with the same id. */
  start: () => Promise<unknown>;
  fingerprint: string | undefined;
  /** The value to return if this submission starts the task or batch. */
  fresh: T;
  /** Reads what an earlier submission started with this id, and the fingerprint of that submission. */
  readFirst: () => Promise<First<T>>;
  /** Reads what an earlier submission with the same key started under another id, if anything. */
  readOther?: () => Promise<First<T> | undefined>;
};

/** What was started, now or by an earlier submission, and the answer's headers about the idempotency key. */
export type Started<T> = { value: T; headers: Record<string, string> };

/**
 * Returns a function that starts at most one task or batch for each idempotency key. The key determines its id, and
 * Temporal refuses a second one with that id, even if the two come from different API processes.
 */
export function createStartOnce(client: Client, config: Config, admission: Admission, { observe }: WriteCheck) {
  const readRetentionMs = createRetention(client, config.temporal.namespace);

  /**
   * Starts the task or batch, or returns what an earlier submission with the same key started.
   * @throws {Refused | TemporalUnavailable}
   */
  return async <T extends { finishedAt?: string | undefined }>(
    caller: Caller,
    { id, itemCount = 0, start, fingerprint, fresh, readFirst, readOther }: Start<T>,
  ): Promise<Started<T>> => {
    const startOrReadFirst = async (): Promise<T | undefined> => {
      const other = await readOther?.();
      try {
        if (!other) return void (await observe(start));
      } catch (error) {
        if (!isAlreadyStarted(error)) throw error;
      }
      const first = other ?? (await readFirst());
      if (first.fingerprint === fingerprint) return first.value;
      const detail = 'A different submission already used this Idempotency-Key; it was not changed';
      throw new Refused('idempotency-mismatch', detail);
    };
    // Not awaited yet, so that the retention is read while the task starts. One after the other, the two calls
    // could take 5 s, but callers get an answer within 3 s (see `deadline.ts`).
    const retention = caller.idempotencyKey === undefined ? undefined : readRetentionMs();
    const first = await admission.start(caller, id, itemCount, startOrReadFirst);
    const value = first ?? fresh;
    return { value, headers: retention ? toKeyHeaders(value, first !== undefined, await retention) : {} };
  };
}

export type StartOnce = ReturnType<typeof createStartOnce>;

function toKeyHeaders(
  { finishedAt }: { finishedAt?: string | undefined },
  isReplay: boolean,
  retentionMs: number | undefined,
): Record<string, string> {
  const endMs = finishedAt ? Date.parse(finishedAt) : Date.now();
  return {
    ...(isReplay && { 'Idempotency-Replayed': 'true' }),
    ...(retentionMs && { 'Idempotency-Expires': new Date(endMs + retentionMs).toISOString() }),
  };
}
