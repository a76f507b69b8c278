import {
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { type Counts, type ProgressArguments, progressSignal, reportSignal } from '../contract.ts';
import { toTotal } from '../slices/counts.ts';

/**
 * A chunk reports its counts to the batch 2 s after they have changed. The batch then knows how many items have ended
 * and may start another chunk. After each report, this delay doubles, up to 60 s. The reason is that each report adds
 * five events to the batch's history, which may have at most 51,200 events.
 */
const firstReportMs = 2_000;
const maximumReportMs = 60_000;

/**
 * Reports a chunk's counts to its batch whenever they change, and when the batch asks. `counts` changes while the chunk
 * runs. `end` ends the reports, and makes a last one if the batch needs it. It throws if the chunk was cancelled.
 */
export function reportCounts(counts: Counts): { end: () => Promise<void> } {
  const { workflowId, runId, firstExecutionRunId, parent } = workflowInfo();
  const batch = parent && getExternalWorkflowHandle(parent.workflowId);
  const isReset = runId !== firstExecutionRunId;
  // The signal fails if the batch has ended. Ignore the failure, because the counts are then not needed.
  const report = async () =>
    await batch?.signal<ProgressArguments>(progressSignal, workflowId, counts, isReset).catch(() => {});
  let isAsked = false;
  setHandler(defineSignal(reportSignal), async () => {
    // A worker of an older build may have ignored the signal. A replay must then ignore it as well.
    if (!patched('report-when-asked')) return;
    isAsked = true;
    await report();
  });
  // Earlier builds always had a timer running. An item may wait for months, so their history could become too long.
  const endReports = afterChanges(counts, report, [firstReportMs, maximumReportMs], patched('report-after-change'));
  return {
    async end() {
      await endReports();
      if (CancellationScope.current().consideredCancelled) {
        await CancellationScope.nonCancellable(report);
        throw new CancelledFailure('The batch was cancelled');
      }
      // The batch does not get this result if an operator reset the batch, or reset this chunk after its end.
      if (isAsked || (isReset && patched('report-after-reset'))) await report();
    },
  };
}

/**
 * Calls `act` some time after the counts have changed. This time doubles with each call, up to the maximum. While
 * nothing changes, no timer runs. Returns a function that ends the calls.
 */
export function afterChanges(
  counts: Counts,
  act: () => unknown,
  [firstMs, maximumMs]: [number, number],
  waitsForChange = true,
): () => Promise<void> {
  const scope = new CancellationScope();
  const acting = scope
    .run(async () => {
      let known = 0;
      for (let waitMs = firstMs; ; waitMs = Math.min(2 * waitMs, maximumMs)) {
        if (waitsForChange) await condition(() => toTotal(counts) !== known);
        await sleep(waitMs);
        if (toTotal(counts) === known) continue;
        known = toTotal(counts);
        await act();
      }
    })
    .catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  return async () => {
    scope.cancel();
    await acting;
  };
}
