import type { HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { until } from '../../cli/until.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { CheckFailure } from '../checks/check.ts';

export const toSeconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;

/** Generous: on a busy machine everything may take long, but nothing for ever. */
const usualLimitMs = 60_000;

type Limits = { signal: AbortSignal; withinMs?: number };

/**
 * Polls until `read` returns something.
 * @throws {CheckFailure} with `missing` when the time is up.
 */
export async function untilFound<T>(
  missing: () => string,
  read: () => Promise<T | undefined>,
  { signal, withinMs = usualLimitMs }: Limits,
): Promise<T> {
  const find = async () => {
    const value = await read();
    return value !== undefined && { value };
  };
  const onTimeout = () => new CheckFailure(`${missing()} within ${toSeconds(withinMs)}`);
  return (await until(find, { withinMs, signal, onTimeout })).value;
}

/** `failed on attempt 5/5 (UpstreamUnavailable: HTTP 503)`. */
export function toStateText({ status, attempt, maxAttempts, failure, lastFailure }: Task): string {
  const why = failure ?? (status === 'retrying' ? lastFailure : undefined);
  return `${status} on attempt ${attempt}/${maxAttempts}${why ? ` (${why.type}: ${why.message})` : ''}`;
}

/**
 * The task as soon as `holds` is true of it.
 * @throws {CheckFailure} telling its state when it ends otherwise or the time is up.
 */
export async function untilTask(
  holdfast: HoldfastClient,
  { id, wanted, holds }: { id: string; wanted: string; holds: (task: Task) => boolean },
  limits: Limits,
): Promise<Task> {
  let seen = 'never seen';
  const missing = () => `Task ${id} is not ${wanted}, but ${seen},`;
  return await untilFound(
    missing,
    async () => {
      const task = await holdfast.read(id);
      seen = toStateText(task);
      if (holds(task)) return task;
      if (task.finishedAt) throw new CheckFailure(`Task ${id} was to be ${wanted}; it ended ${seen}`);
      return undefined;
    },
    limits,
  );
}

/** The task once it is completed. */
export const untilCompleted = (holdfast: HoldfastClient, id: string, limits: Limits) =>
  untilTask(holdfast, { id, wanted: 'completed', holds: ({ status }) => status === 'completed' }, limits);
