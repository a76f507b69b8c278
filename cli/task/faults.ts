import { ApiProblem, NoAnswer } from '../client/holdfast-client.ts';
import { type Target, toKeyFault } from '../client/target.ts';
import { SetupError } from '../setup-error.ts';

/** Returns true if a later call may succeed: Temporal is down, the API restarts, or a caller's limit is reached. */
export const isTransient = (error: unknown): error is SetupError =>
  error instanceof NoAnswer || (error instanceof ApiProblem && (error.status >= 500 || error.status === 429));

/** Returns the message with a full stop, so that another sentence can follow. */
export const toSentence = ({ message }: Error) => (message.endsWith('.') ? message : `${message}.`);

/**
 * Returns a sentence that says whether a failed submission started its task. Returns '' for an error without an
 * outcome, because the error's message is enough.
 */
function toOutcome(error: SetupError): string {
  const known = error instanceof ApiProblem ? error.problem.outcome : undefined;
  const outcome = error instanceof NoAnswer ? (error.isRefused ? 'not-started' : 'unknown') : known;
  if (outcome === undefined) return '';
  return outcome === 'not-started'
    ? ' The task was not started.'
    : ' The task may have been started: check with npm run task -- list.';
}

/** Adds advice for the user to a `SetupError`. Returns any other error unchanged, because it is a bug. */
export function toFault(error: unknown, target: Target, { isSubmission = false } = {}): unknown {
  if (!(error instanceof SetupError)) return error;
  const status = error instanceof ApiProblem ? error.status : undefined;
  if (status === 401) return toKeyFault(error, target);
  if (isSubmission) return new SetupError(`${toSentence(error)}${toOutcome(error)}`);
  return status === 404 ? new SetupError(`${toSentence(error)} npm run task -- list shows the ids.`) : error;
}
