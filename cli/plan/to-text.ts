import type { Warning } from '../../src/planner/policy-lint.ts';
import type { RetryPlan } from '../../src/planner/retry-plan.ts';

type Attempt = RetryPlan['attempts'][number];

/** Formats seconds as `1530 s (25 min 30 s)`. Durations below two minutes have no part in parentheses. */
function toDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  const whole = Math.round(seconds);
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`);
  return `${seconds} s (${shown.join(' ')})`;
}

const toRange = (least: number, most: number) => (least === most ? `${least} s` : `${least} to ${most} s`);

function toPolicyLine({ policy }: RetryPlan): string {
  const { maxAttempts, baseDelay, backoffCoefficient, maxDelay, jitter, jobTimeout, heartbeatTimeout } = policy;
  const final = policy.nonRetryableErrors;
  return [
    `Policy: ${maxAttempts} ${maxAttempts === 1 ? 'attempt' : 'attempts'}`,
    `first wait ${baseDelay} s, multiplied by ${backoffCoefficient} each time, at most ${maxDelay} s`,
    jitter === 0 ? 'no jitter' : `jitter ${jitter}`,
    `job timeout ${jobTimeout} s, heartbeat timeout ${heartbeatTimeout} s`,
    ...(final.length > 0 ? [`never retried: ${final.join(', ')}`] : []),
  ].join('; ');
}

function toThen({ outcome, waitSeconds, longestWaitSeconds, capBinds }: Attempt): string {
  if (outcome === 'succeeds') return 'succeeds';
  if (waitSeconds === null || longestWaitSeconds === null) return 'fails, no attempt left';
  return `fails, waits ${toRange(waitSeconds, longestWaitSeconds)}${capBinds ? ' (the cap)' : ''}`;
}

function toTable({ attempts, attemptsNotListed }: RetryPlan): string[] {
  const rows = attempts.map((attempt) => [
    String(attempt.attempt),
    toRange(attempt.startSeconds, attempt.latestStartSeconds),
    toThen(attempt),
  ]);
  const table = [['Attempt', 'Starts at', 'Then'], ...rows];
  const [first = 0, second = 0] = [0, 1].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return [
    ...table.map(
      ([attempt = '', start = '', then = '']) => `${attempt.padStart(first)}  ${start.padStart(second)}  ${then}`,
    ),
    ...(attemptsNotListed > 0 ? [`… and ${attemptsNotListed} more`] : []),
  ];
}

function toSums({ end, survivedOutageSeconds, worstWallTimeSeconds, deadWorkerRetry }: RetryPlan): string[] {
  const ended = end.status === 'completed' ? 'Completed' : 'Failed (attempts-exhausted)';
  const latest = end.latestAfterSeconds === end.afterSeconds ? '' : ` to ${toDuration(end.latestAfterSeconds)}`;
  return [
    `${ended} on attempt ${end.attempt}, after ${toDuration(end.afterSeconds)}${latest}.`,
    `Survives an outage of up to ${toDuration(survivedOutageSeconds)} if each attempt fails immediately.`,
    `Takes at most ${toDuration(worstWallTimeSeconds)} in total, even if every attempt reaches the job timeout.`,
    deadWorkerRetry === null
      ? 'If a worker dies, its task gets no further attempt.'
      : `If a worker dies during the first attempt, the second starts within ${toDuration(deadWorkerRetry.firstAttemptSeconds)}. If it dies during a later attempt, the next starts within ${toDuration(deadWorkerRetry.worstSeconds)}.`,
  ];
}

function toHerd({ herd, policy }: RetryPlan): string[] {
  const { policy: own, withoutJitter, withFullJitter } = herd.peakRetriesPerSecond;
  return [
    `${herd.tasks} tasks that fail together make ${herd.totalCalls} calls. The highest number of retries in one second:`,
    `  ${`this policy (jitter ${policy.jitter})`.padEnd(22)} ${own}`,
    `  ${'without jitter'.padEnd(22)} ${withoutJitter}`,
    `  ${'with full jitter (1)'.padEnd(22)} ${withFullJitter}`,
  ];
}

const toWarnings = (warnings: Warning[]) =>
  warnings.length === 0
    ? ['No warnings.']
    : [
        'Warnings:',
        ...warnings.flatMap(({ code, message, suggestion }) => [`  ${code}: ${message}`, `    ${suggestion}`]),
      ];

/** Returns a plan and its warnings as text for people. */
export const toText = (plan: RetryPlan, warnings: Warning[]) =>
  [[toPolicyLine(plan)], toTable(plan), toSums(plan), toHerd(plan), toWarnings(warnings)]
    .map((lines) => lines.join('\n'))
    .join('\n\n');
