import { isDeepStrictEqual } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import type { AttemptOptions, TaskInput } from '../../src/tasks.ts';
import type { Answer, Capsule } from './capsule.ts';
import { isOfTheServer, toExpectedEnd } from './expected-end.ts';
import type { End, Past } from './read-history.ts';
import { withRecordedUpstream } from './recorded-upstream.ts';

/** The maximum start-to-close timeout in a replay. It makes the replay of hanging calls shorter. */
const longestAttemptMs = 2_000;

export type Comparison = { line: string; verdict: 'same' | 'different' | 'not compared' };

/**
 * Runs this checkout's activity against each recorded answer, with the recorded attempt number, policy and timeouts.
 * Returns one comparison for each answer.
 */
export async function replayActivity({ taskId, answers }: Capsule, past: Past): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const answer of answers) {
    const end = past.ends.get(answer.attempt);
    const head = `Attempt ${answer.attempt}: ${answer.status ?? 'no status'}, ${answer.outcome} (${answer.source})`;
    if (end && isOfTheServer(end)) {
      comparisons.push({
        line: `${head}: not compared, because the attempt ended as ${toText(end)}`,
        verdict: 'not compared',
      });
      continue;
    }
    const seen = await withRecordedUpstream(answer, end, (url) => runAttempt(taskId, answer, past, url));
    const expected = end ?? toExpectedEnd(answer);
    const isSame = isDeepStrictEqual(seen, expected);
    const why = end ? 'as the history says' : 'as such an answer should';
    const line = isSame
      ? `${head}: ${toText(seen)}, ${why}`
      : `${head}: DIFFERENT: now ${toText(seen)}, ${end ? 'in the history' : 'expected'} ${toText(expected)}`;
    comparisons.push({ line, verdict: isSame ? 'same' : 'different' });
  }
  return comparisons;
}

async function runAttempt(taskId: string, { attempt }: Answer, { activity }: Past, url: string): Promise<End> {
  if (!activity) throw new Error('An answer without an activity');
  const environment = new MockActivityEnvironment(
    {
      attempt,
      activityType: activity.activityType.name,
      workflowExecution: { workflowId: taskId, runId: 'replay' },
      startToCloseTimeoutMs: Math.min(activity.startToCloseTimeout, longestAttemptMs),
      heartbeatTimeoutMs: activity.heartbeatTimeout,
      retryPolicy: activity.retryPolicy,
    },
    { logger: new DefaultLogger('ERROR') },
  );
  const [input, options] = activity.input as [TaskInput<'fetch-joke'>, AttemptOptions];
  try {
    return { output: await environment.run(createActivities({ upstreamUrl: url })['fetch-joke'], input, options) };
  } catch (error) {
    const { upstreamStatus } = ((error as ApplicationFailure).details?.[0] ?? {}) as { upstreamStatus?: number };
    const type = (error instanceof ApplicationFailure && error.type) || (error as Error).name;
    return { type, ...(upstreamStatus !== undefined && { upstreamStatus }) };
  }
}

function toText(end: End): string {
  if ('output' in end) return `completed with ${JSON.stringify(end.output)}`;
  return end.upstreamStatus === undefined ? end.type : `${end.type} (${end.upstreamStatus})`;
}
