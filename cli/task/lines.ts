import type { Task, TaskSummary } from '../../src/api/views/schemas.ts';
import { escapeText } from './escape.ts';

/** Every status there is, in the order of a summary; the compiler asks for those that come to be. */
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

/** `20:45:00.123`, local time. */
const toTime = (ms: number) =>
  `${new Date(ms).toLocaleTimeString('sv')}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}`;

/** `4.0 s`, never below zero. */
const toSeconds = (ms: number) => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;

const untilNextAttempt = ({ nextAttemptAt }: Task, nowMs: number) =>
  nextAttemptAt === undefined ? undefined : Date.parse(nextAttemptAt) - nowMs;

/** A joke as its text, what other tasks put out as JSON. */
function toOutput({ output }: Task): string {
  const { joke } = (output ?? {}) as { joke?: unknown };
  return typeof joke === 'string' ? joke : (JSON.stringify(output) ?? '');
}

/** What is to be told of a task besides its status, the most important first. */
function toDetails(task: Task, nowMs: number): string {
  const { attempt, maxAttempts, failure, lastFailure, status, submittedAt, finishedAt } = task;
  const remainingMs = untilNextAttempt(task, nowMs);
  const told = [`attempt ${attempt}/${maxAttempts}`];
  if (remainingMs !== undefined) told.push(`next attempt in ${toSeconds(remainingMs)}`);
  if (finishedAt) told.push(`after ${toSeconds(Date.parse(finishedAt) - Date.parse(submittedAt))}`);
  if (status === 'completed') return `${told.join(', ')}: ${toOutput(task)}`;
  if (failure) return `${told.join(', ')}, ${failure.reason}: ${failure.type}: ${failure.message}`;
  if (lastFailure) told.push(`last failure ${lastFailure.type}: ${lastFailure.message}`);
  return told.join(', ');
}

/** `20:45:00.123  3f2a9c1e  retrying    attempt 2/5, next attempt in 4.0 s, last failure UpstreamUnavailable: HTTP 503`. */
export const toTaskLine = (task: Task, id: string, nowMs = Date.now()) =>
  [toTime(nowMs), id, task.status.padEnd(columnWidth), escapeText(toDetails(task, nowMs))].join('  ');

/** A line of the list; the id is whole, to be given to `status` and `cancel`. */
export function toListLine({ submittedAt, status, id, input }: TaskSummary): string {
  const date = new Date(submittedAt);
  const clock = `${date.toLocaleDateString('sv')} ${date.toLocaleTimeString('sv')}`;
  return [clock, status.padEnd(columnWidth), id, escapeText(JSON.stringify(input))].join('  ');
}

export const toTaskCount = (count: number) => (count === 1 ? '1 task' : `${count} tasks`);

/** `5 tasks: 4 completed, 1 failed`, and what else became of those that are neither. */
export function toSummary(tasks: Task[], asked = tasks.length): string {
  const count = (...wanted: Task['status'][]) => tasks.filter(({ status }) => wanted.includes(status)).length;
  const open = tasks.filter(({ finishedAt }) => finishedAt === undefined).length;
  const rest = { cancelled: count('cancelled'), 'still open': open, 'not submitted': asked - tasks.length };
  const told = Object.entries(rest).flatMap(([what, number]) => (number > 0 ? [`${number} ${what}`] : []));
  return `${toTaskCount(asked)}: ${[`${count('completed')} completed`, `${count('failed')} failed`, ...told].join(', ')}`;
}

/** One line for all tasks between two changes: how many are in which state, and when the next attempt is due. */
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
