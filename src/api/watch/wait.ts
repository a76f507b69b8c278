import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Started } from '../../temporal/start-once.ts';
import type { Task } from '../views/schemas.ts';
import type { Watch, Watcher } from './watch.ts';

const longestS = 60;
const rule = `must be a number of seconds from 0 to ${longestS}`;

/** How long a submission's answer may wait for the task's end: `?wait=20`. */
export const waitQuery = z
  .string()
  .regex(/^\d+(\.\d+)?$/, rule)
  .transform(Number)
  .refine((seconds) => seconds <= longestS, rule)
  .optional()
  .openapi({ type: 'number', minimum: 0, maximum: longestS })
  .describe('Seconds to wait for the task to end, as plain decimals');

export const preferHeader = z
  .string()
  .optional()
  .openapi({ example: 'wait=20' })
  .describe(
    `\`wait=<seconds>\` (RFC 7240) means the same as \`?wait=\`, which wins; over ${longestS} counts as ${longestS}`,
  );

/** One preference of the list: a comma inside quotes does not end it. */
const preferences = /(?:"(?:\\.|[^"\\])*"?|[^,"])+/g;

/**
 * The seconds of `Prefer: wait=20`. What is malformed is ignored, as RFC 7240 wants it of a preference that cannot be honoured; of
 * two the first counts; a longer wait is honoured as far as we go, for it is only an upper bound.
 */
export function parsePreferredWait(prefer = ''): number | undefined {
  const first = prefer.match(preferences)?.find((preference) => /^\s*wait\s*(=|;|$)/i.test(preference));
  const [, quoted, plain] = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i.exec(first ?? '') ?? [];
  const seconds = quoted ?? plain;
  return seconds === undefined ? undefined : Math.min(Number(seconds), longestS);
}

/**
 * Answers an accepted submission: 200 with the task if the caller waits for its end and it comes in time, else 202 with the task as
 * it was last seen; also when Temporal is lost meanwhile, for the task is accepted.
 */
export async function answerAccepted(
  c: Context,
  { watch }: Watcher,
  { value: accepted, headers }: Pick<Started<Task>, 'value' | 'headers'>,
  wait: number | undefined,
) {
  const preferred = wait === undefined ? parsePreferredWait(c.req.header('prefer')) : undefined;
  if (preferred !== undefined) c.header('Preference-Applied', `wait=${preferred}`);
  const seconds = wait ?? preferred;
  const task = seconds ? await waitForEnd(watch(accepted), accepted, 1_000 * seconds, c.req.raw.signal) : accepted;
  const isAwaited = seconds !== undefined && task.finishedAt !== undefined;
  return c.json(task, isAwaited ? 200 : 202, { Location: task.links.self, ...headers });
}

/** The task as last seen when it ended, the time was up, or the caller went away. */
async function waitForEnd(states: Watch, accepted: Task, ms: number, gone: AbortSignal): Promise<Task> {
  const deadline = performance.now() + ms;
  gone.addEventListener('abort', states.close);
  if (gone.aborted) states.close();
  let task = accepted;
  for (let left = ms; left > 0 && states.isOpen && !task.finishedAt; left = deadline - performance.now()) {
    task = (await states.next(left)) ?? task;
  }
  states.close();
  return task;
}
