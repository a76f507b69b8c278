import { ConfigError } from '../src/config/config.ts';
import { onParentGone } from './parent.ts';
import type { Say } from './progress.ts';
import { SetupError } from './setup-error.ts';

/** 128 plus the signal's number, as shells have it. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** One Ctrl-C can arrive twice: from the terminal and from npm. */
const sameKeyPressMs = 500;

/**
 * Listens to everything that can end a command: signals, the end of its parent (npm or another script), and errors.
 * The first one sets the exit code and aborts `asked`. A further signal forces the end.
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
  for (const [signal, code] of Object.entries(exitCodes))
    process.on(signal, () => {
      if (!asked.signal.aborted) end(code, `${signal}: stopping. A second signal kills at once.`);
      else if (performance.now() - askedAt > sameKeyPressMs && !isForced) {
        isForced = true;
        say(`${signal}: killing what still runs.`);
        force();
      }
    });
  onParentGone((who) => end(exitCodes.SIGTERM, `${who} is gone: stopping.`));
  // If the reader of our output goes away, the children must still be stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  return {
    asked: asked.signal,
    /** Ends the command with this exit code, unless it is ending already. */
    end,
    /** Ends with exit code 1, or 78 for a bad configuration, and prints the message. A bug prints its stack as well. */
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
