import { defineSignal, log, patched, setHandler } from '@temporalio/workflow';

/**
 * Handles a signal if its arguments fit. Any other is logged and ignored: anyone with access to Temporal can send one,
 * and a handler that throws would stop the workflow for ever.
 */
export function handleSignal<A extends unknown[]>(
  name: string,
  fits: (...args: unknown[]) => boolean,
  handle: (...args: A) => void,
): void {
  setHandler(defineSignal<unknown[]>(name), (...args) => {
    // Builds up to 0.2 handled some of them, so their histories have the commands that followed.
    if (!fits(...args) && patched('ignore-unfit-signals')) log.warn(`Ignored a signal that does not fit: ${name}`);
    else handle(...(args as A));
  });
}
