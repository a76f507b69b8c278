import { ConfigError } from '../src/config/config.ts';
import { onParentGone } from './parent.ts';
import type { Say } from './progress.ts';
import { SetupError } from './setup-error.ts';

/** 128 + the signal's number, as shells have it. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** npm and a terminal may both hand over one and the same Ctrl-C. */
const sameKeyPressMs = 500;

/**
 * Everything that can end a command: a signal, the npm or script it runs under, a fault. The first one counts and sets
 * the exit code; `asked` then aborts, and `forced` on a further signal.
 */
export function createEnding(say: Say) {
  const asked = new AbortController();
  const forced = new AbortController();
  let exitCode = 1;
  let askedAt = 0;

  const end = (code: number, why?: string) => {
    if (asked.signal.aborted) return;
    exitCode = code;
    askedAt = performance.now();
    if (why) say(why);
    asked.abort();
  };
  for (const [signal, code] of Object.entries(exitCodes))
    process.on(signal, () => {
      if (!asked.signal.aborted) end(code, `${signal}: stopping in order; once more kills at once.`);
      else if (performance.now() - askedAt > sameKeyPressMs && !forced.signal.aborted) {
        say(`${signal}: killing what still runs.`);
        forced.abort();
      }
    });
  onParentGone((who) => end(exitCodes.SIGTERM, `${who} is gone: stopping in order.`));
  // A reader that went away must not end us before the children have been stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  return {
    asked: asked.signal,
    forced: forced.signal,
    end,
    /** Ends with exit code 1, or 78 for a fault of the configuration, and the error's message; a bug shows its stack as well. */
    fail(error: unknown) {
      if (asked.signal.aborted) return;
      const isTold = error instanceof SetupError || error instanceof ConfigError;
      console.error(isTold ? error.message : error);
      end(error instanceof ConfigError ? error.exitCode : 1);
    },
    exit: () => process.exit(exitCode),
  };
}
