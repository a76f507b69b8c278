import { ApiProblem, NoAnswer } from '../client/holdfast-client.ts';
import { type Target, toKeyFault } from '../client/target.ts';
import { SetupError } from '../setup-error.ts';

/** A fault that may be over with the next call: Temporal away, an API that restarts, a limit. */
export const isPassing = (error: unknown): error is SetupError =>
  error instanceof NoAnswer || (error instanceof ApiProblem && (error.status >= 500 || error.status === 429));

/** The message with a full stop, for another sentence to follow. */
export const toSentence = ({ message }: Error) => (message.endsWith('.') ? message : `${message}.`);

/** What a submission that failed may have left behind; empty where the refusal says it. */
function toOutcome(error: SetupError): string {
  const known = error instanceof ApiProblem ? error.problem.outcome : undefined;
  const outcome = error instanceof NoAnswer ? (error.isRefused ? 'not-started' : 'unknown') : known;
  if (outcome === undefined) return '';
  return outcome === 'not-started'
    ? ' The task was not started.'
    : ' The task may have been started nevertheless: npm run task -- list shows whether it was.';
}

/** The fault as a person shall see it, with what to do about it; anything but a `SetupError` is a bug and stays what it is. */
export function toFault(error: unknown, target: Target, { isSubmission = false } = {}): unknown {
  if (!(error instanceof SetupError)) return error;
  const status = error instanceof ApiProblem ? error.status : undefined;
  if (status === 401) return toKeyFault(error, target);
  if (isSubmission) return new SetupError(`${toSentence(error)}${toOutcome(error)}`);
  return status === 404 ? new SetupError(`${toSentence(error)} npm run task -- list shows the ids.`) : error;
}
