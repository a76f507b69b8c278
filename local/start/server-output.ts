import type { Say } from '../../cli/progress.ts';
import { type FaultMessage, findDatabaseFault, toFaultDetail } from '../../src/embedded/faults.ts';

/**
 * While a fault lasts, the server reports it many times a second. We pass it on once in this time. An API needs longer
 * to start, so it knows the fault before it answers `/ready`.
 */
const passOnMs = 1_000;

type Options = { say: Say; send: (message: FaultMessage) => void; now?: () => number };

/**
 * Reads what the embedded server writes to stderr. If the server reports a fault of its database, tells the user and
 * the API. `/ready` then names the fault. The server's answers to calls do not have the cause.
 */
export function createServerOutput({ say, send, now = () => performance.now() }: Options) {
  let lastError = '';
  let lastFault = '';
  let passedOnAt = Number.NEGATIVE_INFINITY;
  return {
    read(text: string): void {
      const lines = text.split('\n').filter((line) => line.trim() !== '');
      lastError = lines.findLast((line) => line.includes('level=ERROR')) ?? lines.at(-1) ?? lastError;
      const fault = findDatabaseFault(text);
      if (!fault || (fault === lastFault && now() - passedOnAt < passOnMs)) return;
      if (fault !== lastFault) say(`*** ${toFaultDetail(fault)} ***`);
      lastFault = fault;
      passedOnAt = now();
      send({ databaseFault: fault });
    },
    /** Returns a sentence with the last error of the server. */
    readLastError: () => (lastError ? `It said: ${lastError}` : 'It said nothing.'),
  };
}
