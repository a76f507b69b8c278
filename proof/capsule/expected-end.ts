import type { FailureType } from '../../src/policy.ts';
import { tasks } from '../../src/tasks.ts';
import type { Answer } from './capsule.ts';
import type { End } from './read-history.ts';

/**
 * Returns how an attempt must end after an answer, for attempts whose end the history does not keep. This function
 * shares no code with the activity, because the activity is under test.
 */
export function toExpectedEnd({ status, outcome, joke }: Answer): End {
  if (status !== null && status >= 200 && status !== 200) return { type: toStatusType(status), upstreamStatus: status };
  if (['hung', 'client-gone', 'open'].includes(outcome)) return { type: 'UpstreamTimeout' satisfies FailureType };
  if (outcome !== 'answered' || status === null || status < 200)
    return { type: 'UpstreamUnreachable' satisfies FailureType };
  // An attempt whose end the history lacks was retried. After a complete 200, only a TruncatedResponse is retried.
  if (!joke) return { type: 'TruncatedResponse' satisfies FailureType, upstreamStatus: 200 };
  return { output: { id: joke.id, joke: joke.value, url: joke.url } };
}

function toStatusType(status: number): FailureType {
  if (status === 429) return 'UpstreamRateLimited';
  if (status >= 500 || status === 408 || status === 425) return 'UpstreamUnavailable';
  return status >= 300 && status < 400 && status !== 304 ? 'UpstreamRedirected' : 'UpstreamRejected';
}

/** Returns the answer that must have led to this end, or undefined if the upstream did not cause the end. */
export function toAnswerOf(end: End): Pick<Answer, 'status' | 'outcome' | 'joke'> | undefined {
  if ('output' in end) {
    const { joke: value, ...joke } = tasks['fetch-joke'].output.parse(end.output);
    return { status: 200, outcome: 'answered', joke: { ...joke, value } };
  }
  if (end.upstreamStatus !== undefined) return { status: end.upstreamStatus, outcome: 'answered' };
  if (end.type === ('UpstreamTimeout' satisfies FailureType)) return { status: null, outcome: 'hung' };
  if (end.type === ('UpstreamUnreachable' satisfies FailureType)) return { status: null, outcome: 'reset' };
  return undefined;
}

/**
 * Returns whether a worker's death, a shutdown, a cancellation or an operator caused this end. No answer of the
 * upstream can reproduce such an end.
 */
export const isOfTheServer = (end: End) =>
  'type' in end &&
  ['TemporalTimeout', 'Cancelled', 'WorkerShutdown', 'ActivityPause', 'ActivityReset', 'FailedByOperator'].includes(
    end.type,
  );
