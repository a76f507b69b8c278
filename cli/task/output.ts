import type { Task, TaskSummary } from '../../src/api/views/schemas.ts';
import { createProgress } from '../progress.ts';
import { escapeText, toJsonLine, toListLine, toLiveLine, toTaskLine } from './lines.ts';

const redrawMs = 200;
const shortestId = 8;

type Options = { json?: true | undefined; watch?: true | undefined };

/**
 * Creates the output of the command. Stdout gets a line for each change of a task. With `json`, each line is a JSON
 * document. Notes go to stderr. With `watch` but not `json`, a live line shows the time until the next attempt.
 */
export function createOutput({ json, watch }: Options) {
  const shorten = createShortIds();
  const say = (line: string) => console.log(line);
  let progress: ReturnType<typeof createProgress> | undefined;
  const print = (line: string) => {
    progress?.end();
    say(line);
  };
  const output = {
    /** Prints a task in a new state. `withId` adds the whole id. */
    task(task: Task, { withId = false } = {}) {
      if (json) return print(toJsonLine(task));
      print(`${toTaskLine(task, shorten(task.id))}${withId ? `, ${task.id}` : ''}`);
    },
    listed: (item: TaskSummary) => print(json ? toJsonLine(item) : toListLine(item)),
    /** Prints the last line of the output. With `json`, this line goes to stderr. */
    summary: (line: string) => (json ? output.note(line) : print(line)),
    note(text: string) {
      progress?.end();
      console.error(text.split('\n').map(escapeText).join('\n'));
    },
    /** Runs `work`. With `watch` but not `json`, shows the live line meanwhile. */
    async whileLive<T>(tasks: () => Task[], work: () => Promise<T>): Promise<T> {
      if (!watch || json) return await work();
      const bar = createProgress(say);
      progress = bar;
      const timer = setInterval(() => bar.update(toLiveLine(tasks())), redrawMs);
      try {
        return await work();
      } finally {
        clearInterval(timer);
        bar.end();
        progress = undefined;
      }
    },
  };
  return output;
}

export type Output = ReturnType<typeof createOutput>;

/**
 * Returns a function that shortens `0f1e…_fetch-joke_3f2a9c1e-…` to the first eight characters of its last part. The
 * result is longer if an earlier id has the same short id. The same id always gets the same short id.
 */
export function createShortIds() {
  const shortIds = new Map<string, string>();
  const used = new Set<string>();
  return (id: string): string => {
    const known = shortIds.get(id);
    if (known !== undefined) return known;
    const key = id.slice(id.lastIndexOf('_') + 1);
    let length = shortestId;
    while (used.has(key.slice(0, length)) && length < key.length) length += 1;
    const text = used.has(key.slice(0, length)) ? id : key.slice(0, length);
    used.add(text);
    shortIds.set(id, text);
    return text;
  };
}
