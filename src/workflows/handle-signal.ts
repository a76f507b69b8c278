import { defineSignal, log, patched, setHandler } from '@temporalio/workflow';

/**
 * Handles a signal if its arguments are valid. Logs and ignores a malformed signal. Anyone with access to Temporal
 * can send one, and a handler that throws would stop the workflow for ever.
 */
export function handleSignal<A extends unknown[]>(
  name: string,
  isValid: (...args: unknown[]) => boolean,
  handle: (...args: A) => void,
): void {
  setHandler(defineSignal<unknown[]>(name), (...args) => {
    // Builds up to 0.2 handled some malformed signals. A replay of their histories must handle these signals as well.
    if (!isValid(...args) && patched('ignore-malformed-signals')) log.warn(`Ignored a malformed signal: ${name}`);
    else handle(...(args as A));
  });
}
