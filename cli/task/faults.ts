import { ApiProblem, NoAnswer } from '../client/holdfast-client.ts';
import { type Target, toKeyFault } from '../client/target.ts';
import { SetupError } from '../setup-error.ts';

/** Returns whether the next call may succeed: Temporal is away, the API restarts, or a limit applies. */
export const isTransient = (error: unknown): error is SetupError =>
  error instanceof NoAnswer || (error instanceof ApiProblem && (error.status >= 500 || error.status === 429));

/** Returns the message with a full stop, so that another sentence can follow. */
export const toSentence = ({ message }: Error) => (message.endsWith('.') ? message : `${message}.`);

/** Says whether a failed submission started its task. Returns '' if the message says so itself. */
function toOutcome(error: SetupError): string {
  const known = error instanceof ApiProblem ? error.problem.outcome : undefined;
  const outcome = error instanceof NoAnswer ? (error.isRefused ? 'not-started' : 'unknown') : known;
  if (outcome === undefined) return '';
  return outcome === 'not-started'
    ? ' The task was not started.'
    : ' The task may have been started: check with npm run task -- list.';
}

/** Returns the error to show, with advice. Anything but a `SetupError` is a bug and is returned unchanged. */
export function toFault(error: unknown, target: Target, { isSubmission = false } = {}): unknown {
  if (!(error instanceof SetupError)) return error;
  const status = error instanceof ApiProblem ? error.status : undefined;
  if (status === 401) return toKeyFault(error, target);
  if (isSubmission) return new SetupError(`${toSentence(error)}${toOutcome(error)}`);
  return status === 404 ? new SetupError(`${toSentence(error)} npm run task -- list shows the ids.`) : error;
}
