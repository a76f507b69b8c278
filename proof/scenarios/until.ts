import type { HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { until } from '../../cli/until.ts';
import type { Task } from '../../src/api/views/schemas.ts';
import { CheckFailure } from '../checks/check.ts';

export const toSeconds = (ms: number) => `${(ms / 1_000).toFixed(2)} s`;

/** The default time limit. It is generous, because everything may take long on a busy machine. */
const usualLimitMs = 60_000;

type Limits = { signal: AbortSignal; withinMs?: number };

/**
 * Polls until `read` returns a value, and returns that value.
 * @throws {CheckFailure} with the text of `missing`, if there is no value within `withinMs`.
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

/** Formats a task as `failed on attempt 5/5 (UpstreamUnavailable: HTTP 503)`. */
export function toStateText({ status, attempt, maxAttempts, failure, lastFailure }: Task): string {
  const why = failure ?? (status === 'retrying' ? lastFailure : undefined);
  return `${status} on attempt ${attempt}/${maxAttempts}${why ? ` (${why.type}: ${why.message})` : ''}`;
}

/**
 * Returns the task as soon as `holds` is true of it.
 * @throws {CheckFailure} with the state of the task, if the task ends or the time is up before `holds` is true.
 */
export async function untilTask(
  holdfast: HoldfastClient,
  { id, wanted, holds }: { id: string; wanted: string; holds: (task: Task) => boolean },
  limits: Limits,
): Promise<Task> {
  let seen = 'never';
  const missing = () => `Task ${id} was not ${wanted} (last seen: ${seen})`;
  return await untilFound(
    missing,
    async () => {
      const task = await holdfast.read(id);
      seen = toStateText(task);
      if (holds(task)) return task;
      if (task.finishedAt) throw new CheckFailure(`Task ${id} should be ${wanted}, but it ended as ${seen}`);
      return undefined;
    },
    limits,
  );
}

/** Returns the task once it is completed. */
export const untilCompleted = (holdfast: HoldfastClient, id: string, limits: Limits) =>
  untilTask(holdfast, { id, wanted: 'completed', holds: ({ status }) => status === 'completed' }, limits);
