import { createWriteStream } from 'node:fs';
import { nowMs } from '../../../cli/measurement.ts';
import type { Operation } from '../types.ts';

type Invocation = Pick<Operation, 'action' | 'key' | 'id'>;
type End = Omit<Operation, 'op' | 'at' | 'action' | 'key'>;

/** Records what clients did and what they got back, in order of time. Each line is written to `file` immediately. */
export function createRecorder(file: string) {
  const operations: Operation[] = [];
  const stream = createWriteStream(file);
  let invocations = 0;
  const add = (operation: Operation) => {
    operations.push(operation);
    stream.write(`${JSON.stringify(operation)}\n`);
  };
  return {
    operations,
    /** Records an invocation. Call the returned function to record its end. */
    invoke(what: Invocation): (end: End) => void {
      const op = ++invocations;
      add({ op, at: nowMs(), type: 'invoke', ...what });
      return (end) => add({ op, at: nowMs(), ...what, ...end });
    },
    close: () => new Promise<void>((closed) => stream.end(closed)),
  };
}

export type Recorder = ReturnType<typeof createRecorder>;
