import type { Say } from '../../cli/progress.ts';
import { type FaultMessage, findDatabaseFault, toFaultDetail } from '../../src/embedded/faults.ts';

/**
 * While a fault lasts, the server reports it many times a second. We pass it on once in this time. An API needs longer
 * to start, so it knows the fault before it answers `/ready`.
 */
const passOnMs = 1_000;

const isError = (line: string) => /level=ERROR|"level":"(error|fatal)"/.test(line);

/** Returns a line of the log without its stack trace. Temporal's server writes JSON, the Temporal CLI writes text. */
function toReadable(line: string): string {
  try {
    const { level, msg, error } = JSON.parse(line) as { level: string; msg: string; error?: string };
    return `Temporal: level=${level.toUpperCase()} msg="${msg}"${error ? ` error="${error}"` : ''}`;
  } catch {
    return line;
  }
}

type Options = { say: Say; send: (message: FaultMessage) => void; now?: () => number };

/**
 * Reads what the embedded server writes to stderr. If the server reports a fault of its database, tells the user and
 * the API. `/ready` then names the fault. The server's answers to calls do not have the cause.
 */
export function createServerOutput({ say, send, now = () => performance.now() }: Options) {
  let lastLine = '';
  let lastError = '';
  let lastFault = '';
  let passedOnAt = Number.NEGATIVE_INFINITY;
  return {
    /** Takes a line and returns it in a form that people can read. */
    read(line: string): string {
      const text = toReadable(line);
      if (isError(line)) lastError = text;
      else lastLine = text.trim() || lastLine;
      const fault = findDatabaseFault(line);
      if (!fault || (fault === lastFault && now() - passedOnAt < passOnMs)) return text;
      if (fault !== lastFault) say(`*** ${toFaultDetail(fault)} ***`);
      lastFault = fault;
      passedOnAt = now();
      send({ databaseFault: fault });
      return text;
    },
    /** Returns a sentence with the last error of the server. */
    readLastError: () => (lastError || lastLine ? `It said: ${lastError || lastLine}` : 'It said nothing.'),
  };
}
