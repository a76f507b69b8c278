import type { FailureType } from '../../src/policy.ts';
import { tasks } from '../../src/tasks.ts';
import type { Answer } from './capsule.ts';
import type { End } from './read-history.ts';

/** What the activity must make of an answer of which the history keeps nothing. Not the activity's own code: that is on trial. */
export function toExpectedEnd({ status, outcome, joke }: Answer): End {
  if (status !== null && status >= 200 && status !== 200) return { type: toStatusType(status), upstreamStatus: status };
  if (['hung', 'client-gone', 'open'].includes(outcome)) return { type: 'UpstreamTimeout' satisfies FailureType };
  if (outcome !== 'answered' || status === null || status < 200)
    return { type: 'UpstreamUnreachable' satisfies FailureType };
  // Of the failures that a whole 200 can bring, this alone is tried again, and only of the attempts before the last two is nothing kept.
  if (!joke) return { type: 'TruncatedResponse' satisfies FailureType, upstreamStatus: 200 };
  return { output: { id: joke.id, joke: joke.value, url: joke.url } };
}

function toStatusType(status: number): FailureType {
  if (status === 429) return 'UpstreamRateLimited';
  if (status >= 500 || status === 408 || status === 425) return 'UpstreamUnavailable';
  return status >= 300 && status < 400 && status !== 304 ? 'UpstreamRedirected' : 'UpstreamRejected';
}

/** The answer that brought this end, as far as an end tells; undefined where it was not the upstream's doing. */
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

/** Ends that a worker's death, a stop or a cancellation brings: no answer repeats them. */
export const isOfTheServer = (end: End) =>
  'type' in end && ['TemporalTimeout', 'Cancelled', 'WorkerShutdown'].includes(end.type);
