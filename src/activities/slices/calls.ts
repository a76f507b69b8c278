import { setMaxListeners } from 'node:events';
import type { ItemOutcome, SliceArguments, SliceResult } from '../../contract.ts';
import { defaultMaximumOutputBytes, type RunItem } from './run-item.ts';
import { createUpstreamHealth } from './upstream-health.ts';

/** The maximum size of a slice's outcomes as JSON. Temporal's SDK warns of larger results. */
const maximumBytes = 512 * 1024;

/** An outcome is larger than its output by less than this. */
const outcomeBytes = 1024;

export const toBytes = (outcome: ItemOutcome) => Buffer.byteLength(JSON.stringify(outcome));

/** Creates the record of a slice's calls and their outcomes. `onChange` is called when more calls may begin. */
export function createCalls(slice: SliceArguments, runItem: RunItem, onChange: () => void) {
  const { options, indexes, inputs, maximumOutputBytes = defaultMaximumOutputBytes } = slice;
  const cancellation = new AbortController();
  // Each running call listens. Node would warn of more than ten listeners.
  setMaxListeners(0, cancellation.signal);
  const health = createUpstreamHealth(options.retry.initialInterval);
  /** The calls that have begun and not ended, by the item's index. */
  const running = new Map<number, Promise<void>>();
  /** The outcomes that no signal has reported, by the item's index. */
  const outcomes = new Map<number, ItemOutcome>();
  let bytes = 0;

  const run = async (position: number, index: number, release: () => void) => {
    const input = Array.isArray(inputs) ? (inputs[position] ?? {}) : inputs.input;
    const outcome = await runItem(slice, index, input, cancellation.signal);
    release();
    running.delete(index);
    outcomes.set(index, outcome);
    bytes += toBytes(outcome);
    health.observe(outcome);
    onChange();
  };
  const toReport = (reported: ItemOutcome[]): SliceResult => {
    const holdMs = health.readHoldMs();
    return { outcomes: reported, ...(holdMs !== undefined && { holdMs }) };
  };

  return {
    running,
    outcomes,
    toReport,
    toResult: () => toReport([...outcomes.values()]),
    cancel: (reason: Error) => cancellation.abort(reason),

    /** Allows more calls at once, if calls are running and the upstream has not just failed. */
    widen(): void {
      if (running.size > 0) health.widen();
      onChange();
    },

    /** Whether the health of the upstream and the size of the result allow one more call. */
    mayBegin: () =>
      running.size < health.readWidth() &&
      health.readHoldMs() === undefined &&
      bytes + (running.size + 1) * (maximumOutputBytes + outcomeBytes) <= maximumBytes,

    /** Begins the call of the item at this position of the slice. Releases the place when the call has ended. */
    begin(position: number, release: () => void): void {
      const index = indexes[position] as number;
      running.set(index, run(position, index, release));
    },

    async untilAllEnd(): Promise<void> {
      await Promise.all(running.values());
    },
  };
}

export type Calls = ReturnType<typeof createCalls>;
