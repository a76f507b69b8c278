import { activityInfo, CancelledFailure, Context } from '@temporalio/activity';
import { parseId, type SliceArguments, type SliceResult } from '../../contract.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { Places } from '../places.ts';
import { createCalls } from './calls.ts';
import { reportSlowCalls } from './report-slow-calls.ts';
import type { RunItem } from './run-item.ts';
import { createWindow } from './window.ts';

/** While no call fails, a slice doubles the number of its calls at once each time this interval has passed. */
const wideningMs = 100;

type Dependencies = {
  runItem: RunItem;
  places: Places;
  /** Throws if the server has given up the current slice. Returns if `signal` aborts before the server answers. */
  confirm: (signal: AbortSignal) => Promise<void>;
  /** Aborts as soon as the worker begins to stop. */
  stopping: AbortSignal;
};

const cancelled = () => new CancelledFailure('The batch was cancelled');

/**
 * Creates the activity of a slice. It makes the first attempts of as many of its items as it can begin within a second,
 * and returns how they ended. If calls still run then, it reports the other outcomes by a signal and keeps only the
 * running calls. A slice that is cancelled or whose worker stops begins no more calls and returns what it has.
 */
export const createAttemptItems = (dependencies: Dependencies) => (slice: SliceArguments) =>
  withHeartbeat(() => attemptItems(slice, dependencies));

async function attemptItems(slice: SliceArguments, dependencies: Dependencies): Promise<SliceResult> {
  const { runItem, places, confirm, stopping } = dependencies;
  const owner = readOwner();
  const window = createWindow();
  const calls = createCalls(slice, runItem, window.wake);
  const context = Context.current();
  const onCancel = () => {
    window.close();
    // An operator's reset or pause concerns only the slice, so the calls of its items continue. This listener runs
    // outside the activity, where `cancellationDetails()` would throw.
    const { reset, paused } = context.cancellationDetails ?? {};
    if (!reset && !paused) calls.cancel(cancelled());
  };
  context.cancellationSignal.addEventListener('abort', onCancel);
  stopping.addEventListener('abort', window.close);
  if (stopping.aborted) window.close();
  if (context.cancellationSignal.aborted) onCancel();
  const widening = setInterval(calls.widen, wideningMs);
  try {
    for (const position of slice.indexes.keys()) {
      await window.until(() => calls.mayBegin() || calls.running.size === 0 || !window.isOpen());
      if (!calls.mayBegin()) break;
      const release = await places.takeForSlice(owner, window.signal);
      if (!release) break;
      // The slice may have waited for its first place while this process was suspended.
      if (position === 0) await confirm(window.signal).catch(releaseAndThrow(release));
      if (!window.isOpen()) {
        release();
        break;
      }
      calls.begin(position, release);
      window.start();
    }
    await window.until(() => calls.running.size === 0 || window.isOver());
    if (calls.running.size > 0 && !(await reportSlowCalls(calls))) calls.cancel(cancelled());
    await calls.untilAllEnd();
    return calls.toResult();
  } finally {
    clearInterval(widening);
    window.stopTimer();
    stopping.removeEventListener('abort', window.close);
    context.cancellationSignal.removeEventListener('abort', onCancel);
  }
}

/** The owner of the batch whose slice this is. */
const readOwner = () =>
  parseId((activityInfo().workflowExecution?.workflowId ?? '').replace(/~\d+$/, ''))?.ownerHash ?? '';

const releaseAndThrow = (release: () => void) => (error: unknown) => {
  release();
  throw error;
};
