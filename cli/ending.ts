import { ConfigError } from '../src/config/config.ts';
import { onEndSignal, onParentGone } from '../src/stop.ts';
import type { Say } from './progress.ts';
import { SetupError } from './setup-error.ts';

/** The exit code for each signal: 128 plus the signal's number, as in shells. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** A second signal within this time belongs to the same Ctrl-C: the terminal and npm each send one. */
const sameKeyPressMs = 500;

/**
 * Decides when and with which code a command ends. A signal ends the command, and so does the end of its parent (npm or
 * another script), a call of `end` or a call of `fail`. The first of these events sets the exit code and aborts
 * `asked`. A second signal exits immediately, or calls the function that `onForced` has set.
 */
export function createEnding(say: Say) {
  const asked = new AbortController();
  let exitCode = 1;
  let askedAt = 0;
  let isForced = false;
  const exit = () => process.exit(exitCode);
  let force: () => void = exit;

  const end = (code: number, why?: string) => {
    if (asked.signal.aborted) return;
    exitCode = code;
    askedAt = performance.now();
    if (why) say(why);
    asked.abort();
  };
  onEndSignal((signal) => {
    if (!asked.signal.aborted) end(exitCodes[signal], `${signal}: stopping. A second signal kills at once.`);
    else if (performance.now() - askedAt > sameKeyPressMs && !isForced) {
      isForced = true;
      say(`${signal}: killing what still runs.`);
      force();
    }
  });
  onParentGone((who) => end(exitCodes.SIGTERM, `${who} is gone: stopping.`));
  // Ignores write errors: when the reader of our output is gone, the command must still stop its children.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  return {
    asked: asked.signal,
    /** Sets the exit code, prints `why` and aborts `asked`. Does nothing if the command is already ending. */
    end,
    /**
     * Prints the error and ends the command with exit code 1, or 78 for an invalid configuration. The stack is printed
     * only for a bug, which is any error other than a `SetupError` or a `ConfigError`.
     */
    fail(error: unknown) {
      if (asked.signal.aborted) return;
      const isExpected = error instanceof SetupError || error instanceof ConfigError;
      console.error(isExpected ? error.message : error);
      end(error instanceof ConfigError ? error.exitCode : 1);
    },
    /** Sets what a second signal does instead of exiting at once. */
    onForced(kill: () => void) {
      force = kill;
    },
    exit,
  };
}

export type Ending = ReturnType<typeof createEnding>;
