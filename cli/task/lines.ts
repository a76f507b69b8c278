import type { Task, TaskSummary } from '../../src/api/views/schemas.ts';

/** Every status, in the order of the live line. If a status is missing, this object does not compile. */
const statuses: Record<TaskSummary['status'], true> = {
  scheduled: true,
  queued: true,
  open: true,
  running: true,
  retrying: true,
  cancelling: true,
  completed: true,
  failed: true,
  cancelled: true,
};
export const statusNames = Object.keys(statuses) as TaskSummary['status'][];
const columnWidth = Math.max(...statusNames.map((status) => status.length));

// Texts of upstreams and callers may contain characters that move the cursor, change colours, reorder text or break a
// line. Such characters are escaped.
const unsafe = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const shortEscapes: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const toCodePoint = (character: string) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** Escapes control characters, which could break the line or control the terminal: a line break becomes `\n`. */
export const escapeText = (text: string) =>
  text.replace(unsafe, (character) => shortEscapes[character] ?? toCodePoint(character));

/** Returns the value as JSON on one line, with control characters escaped. The line parses to the same value. */
export const toJsonLine = (value: unknown) => JSON.stringify(value).replace(unsafe, toCodePoint);

/** Formats a time as `20:45:00.123` in the local time zone. */
const toTime = (ms: number) =>
  `${new Date(ms).toLocaleTimeString('sv')}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;

/** Formats a duration as `4.0 s`. A negative duration becomes `0.0 s`. */
const toSeconds = (ms: number) => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;

const untilNextAttempt = ({ nextAttemptAt }: Task, nowMs: number) =>
  nextAttemptAt === undefined ? undefined : Date.parse(nextAttemptAt) - nowMs;

/** Returns the joke's text if the output has a joke. Otherwise returns the output as JSON. */
function toOutput({ output }: Task): string {
  const { joke } = (output ?? {}) as { joke?: unknown };
  return typeof joke === 'string' ? joke : (JSON.stringify(output) ?? '');
}

const toPausedBy = ({ by, reason }: NonNullable<Task['paused']>) =>
  `${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : ` (${reason})`}`;

/** Returns the details that follow the status in the line of a task. */
function toDetails(task: Task, nowMs: number): string {
  const { attempt, maxAttempts, failure, lastFailure, paused, stuck, status, submittedAt, finishedAt } = task;
  const remainingMs = untilNextAttempt(task, nowMs);
  const details = [`attempt ${attempt}/${maxAttempts}`];
  if (remainingMs !== undefined) details.push(`next attempt in ${toSeconds(remainingMs)}`);
  if (paused) details.push(`paused in Temporal${toPausedBy(paused)}`);
  if (stuck) details.push(`stuck: ${stuck.reason}`);
  if (finishedAt) details.push(`after ${toSeconds(Date.parse(finishedAt) - Date.parse(submittedAt))}`);
  if (status === 'completed') return `${details.join(', ')}: ${toOutput(task)}`;
  if (failure) return `${details.join(', ')}, ${failure.reason}: ${failure.type}: ${failure.message}`;
  if (lastFailure) details.push(`last failure ${lastFailure.type}: ${lastFailure.message}`);
  return details.join(', ');
}

/**
 * Formats the state of a task as one line:
 * `20:45:00.123  3f2a9c1e  retrying    attempt 2/5, next attempt in 4.0 s, last failure UpstreamUnavailable: HTTP 503`.
 */
export const toTaskLine = (task: Task, id: string, nowMs = Date.now()) =>
  [toTime(nowMs), id, task.status.padEnd(columnWidth), escapeText(toDetails(task, nowMs))].join('  ');

/** Formats a task as a line of the list. The line has the whole id, because `status`, `cancel` and `rerun` need it. */
export function toListLine({ submittedAt, status, id, input }: TaskSummary): string {
  const date = new Date(submittedAt);
  const clock = `${date.toLocaleDateString('sv')} ${date.toLocaleTimeString('sv')}`;
  return [clock, status.padEnd(columnWidth), id, escapeText(JSON.stringify(input))].join('  ');
}

export const toTaskCount = (count: number) => (count === 1 ? '1 task' : `${count} tasks`);

/**
 * Returns `5 tasks: 4 completed, 1 failed`. The numbers of cancelled, open and unsubmitted tasks follow if they are not
 * zero. `asked` is the number of tasks that the user asked for.
 */
export function toSummary(tasks: Task[], asked = tasks.length): string {
  const count = (...wanted: Task['status'][]) => tasks.filter(({ status }) => wanted.includes(status)).length;
  const open = tasks.filter(({ finishedAt }) => finishedAt === undefined).length;
  const rest = { cancelled: count('cancelled'), 'still open': open, 'not submitted': asked - tasks.length };
  const others = Object.entries(rest).flatMap(([what, number]) => (number > 0 ? [`${number} ${what}`] : []));
  return `${toTaskCount(asked)}: ${[`${count('completed')} completed`, `${count('failed')} failed`, ...others].join(', ')}`;
}

/** Returns one line about all tasks: how many are in each state, and when the next attempt is due. */
export function toLiveLine(tasks: Task[], nowMs = Date.now()): string {
  const [only] = tasks;
  const due = tasks.flatMap((task) => untilNextAttempt(task, nowMs) ?? []);
  const next = due.length > 0 ? `next attempt in ${toSeconds(Math.min(...due))}` : '';
  if (tasks.length === 1 && only)
    return `${only.status}, attempt ${only.attempt}/${only.maxAttempts}${next && `, ${next}`}`;
  const counts = statusNames.flatMap((name) => {
    const number = tasks.filter(({ status }) => status === name).length;
    return number > 0 ? [`${number} ${name}`] : [];
  });
  return `${toTaskCount(tasks.length)}: ${[...counts, ...(next ? [next] : [])].join(', ')}`;
}
