import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Started } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import type { Task } from '../views/schemas.ts';
import type { Subscription, Watcher } from './watch.ts';

const maximumSeconds = 60;
const rule = `must be a number of seconds from 0 to ${maximumSeconds}`;

/** `?wait=20`: how many seconds the answer to a submission may wait for the end of the task. */
export const waitQuery = z
  .string()
  .regex(/^\d+(\.\d+)?$/, rule)
  .transform(Number)
  .refine((seconds) => seconds <= maximumSeconds, rule)
  .optional()
  .openapi({ type: 'number', minimum: 0, maximum: maximumSeconds })
  .describe('Seconds that the answer may wait for the end of the task, as a plain decimal');

export const preferHeader = z
  .string()
  .optional()
  .openapi({ example: 'wait=20' })
  .describe(
    `\`wait=<seconds>\` (RFC 7240) works like \`?wait=\`. If both are sent, \`?wait=\` applies. In this header, seconds over ${maximumSeconds} count as ${maximumSeconds}`,
  );

/** Matches each preference of a `Prefer` header. A comma inside quotes does not separate preferences. */
const preferences = /(?:"(?:\\.|[^"\\])*"?|[^,"])+/g;

/**
 * Returns the seconds of `Prefer: wait=20`, or `undefined` if there is no valid `wait`. As RFC 7240 requires, only the
 * first `wait` counts, even if the first is malformed. The seconds are only an upper bound of the wait, so a value
 * above the maximum counts as the maximum.
 */
export function parsePreferredWait(prefer = ''): number | undefined {
  const first = prefer.match(preferences)?.find((preference) => /^\s*wait\s*(=|;|$)/i.test(preference));
  const [, quoted, plain] = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i.exec(first ?? '') ?? [];
  const seconds = quoted ?? plain;
  return seconds === undefined ? undefined : Math.min(Number(seconds), maximumSeconds);
}

/**
 * Answers an accepted submission. The answer is 200 if the caller asks for a wait and the task ends in time. Otherwise
 * it is 202 with the task as last read. It is also 202 if Temporal becomes unavailable during the wait, because the
 * task is already accepted.
 */
export async function answerAccepted(
  c: Context<ApiEnvironment>,
  { watchEnd }: Watcher,
  { value: accepted, headers }: Pick<Started<Task>, 'value' | 'headers'>,
  wait: number | undefined,
) {
  const preferred = wait === undefined ? parsePreferredWait(c.req.header('prefer')) : undefined;
  if (preferred !== undefined) c.header('Preference-Applied', `wait=${preferred}`);
  const seconds = wait ?? preferred;
  const task = seconds
    ? await waitForEnd(watchEnd(c.var.owner, accepted), accepted, 1_000 * seconds, c.req.raw.signal)
    : accepted;
  const isAwaited = seconds !== undefined && task.finishedAt !== undefined;
  return c.json(task, isAwaited ? 200 : 202, { Location: task.links.self, ...headers });
}

/** If a task has not ended, it is read this long before the wait runs out, so that the answer has the current state. */
const lastReadMs = 500;

/** Waits until the task ends, `ms` pass, the client leaves or the server stops. Returns the task as last read. */
async function waitForEnd(changes: Subscription, accepted: Task, ms: number, clientGone: AbortSignal): Promise<Task> {
  const deadline = performance.now() + ms;
  clientGone.addEventListener('abort', changes.close);
  if (clientGone.aborted) changes.close();
  const lastRead = setTimeout(changes.readNow, Math.max(0, ms - lastReadMs));
  let task = accepted;
  for (let leftMs = ms; leftMs > 0 && changes.isOpen && !task.finishedAt; leftMs = deadline - performance.now()) {
    task = (await changes.next(leftMs)) ?? task;
  }
  clearTimeout(lastRead);
  changes.close();
  return task;
}
