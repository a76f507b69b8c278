import { clearLine, cursorTo } from 'node:readline';

export type Say = (line: string) => void;

/**
 * Creates a display for the progress of a long step. On a terminal, `update` redraws one line. Elsewhere, it prints a
 * plain line, at most one every `plainEveryMs`. Call `end` before you print anything else, and when the step is over.
 */
export function createProgress(say: Say, { stream = process.stdout, plainEveryMs = 10_000 } = {}) {
  const startedAt = performance.now();
  let saidAt = startedAt;
  const withElapsed = (text: string) => `${text} (${Math.round((performance.now() - startedAt) / 1_000)} s)`;
  const wipe = () => {
    clearLine(stream, 0);
    cursorTo(stream, 0);
  };
  return {
    update(text: string) {
      if (stream.isTTY) {
        wipe();
        stream.write(withElapsed(text).slice(0, (stream.columns || 80) - 1));
      } else if (performance.now() - saidAt >= plainEveryMs) {
        saidAt = performance.now();
        say(withElapsed(text));
      }
    },
    end() {
      if (stream.isTTY) wipe();
    },
  };
}
