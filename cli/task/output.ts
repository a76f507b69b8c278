import type { Task, TaskSummary } from '../../src/api/views/schemas.ts';
import { createProgress } from '../progress.ts';
import { escapeText, toJsonLine } from './escape.ts';
import { toListLine, toLiveLine, toTaskLine } from './lines.ts';
import { createShortIds } from './short-ids.ts';

/** How often the live line is drawn anew. */
const drawMs = 200;

type Options = { json?: true | undefined; watch?: true | undefined };

/**
 * What the command tells: on stdout a line for each task seen changed, with `json` the documents alone; notes on stderr.
 * With `watch` a further line follows the time between two changes, rewritten on a terminal.
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
    /** A task in a state not shown before; `idToo` writes the whole id behind it. */
    task(task: Task, { idToo = false } = {}) {
      if (json) return print(toJsonLine(task));
      print(`${toTaskLine(task, shorten(task.id))}${idToo ? `, ${task.id}` : ''}`);
    },
    listed: (item: TaskSummary) => print(json ? toJsonLine(item) : toListLine(item)),
    /** Ends what stdout says; documents have no need of it. */
    summary: (line: string) => (json ? output.note(line) : print(line)),
    note(text: string) {
      progress?.end();
      console.error(text.split('\n').map(escapeText).join('\n'));
    },
    /** Shows the live line, if one is wanted, while `work` goes on. */
    async whileLive<T>(tasks: () => Task[], work: () => Promise<T>): Promise<T> {
      if (!watch || json) return await work();
      const bar = createProgress(say);
      progress = bar;
      const timer = setInterval(() => bar.update(toLiveLine(tasks())), drawMs);
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
