import type { LedgerEntry } from '../../../../local/joke-api/ledger.ts';
import { cutting, type Work } from '../join.ts';
import { aftermathMs, endOf, examine, type Finding, type Invariant, reachMs, toleranceMs } from './invariant.ts';

const isAnswered200 = ({ outcome, status }: LedgerEntry) => outcome === 'answered' && status === 200;
const isFinalStatus = ({ outcome, status }: LedgerEntry) =>
  outcome === 'answered' && status !== null && status >= 300 && status < 500 && ![408, 425, 429].includes(status);

export const ownResult: Invariant = {
  name: 'own-result',
  title: 'A result is the one that the upstream gave to that very task',
  check: ({ works }) =>
    examine(
      [...works].filter(([, { final }]) => final?.state === 'completed'),
      ({ final, calls }) => {
        const received = calls.filter(isAnswered200).map(({ jokeId }) => jokeId);
        return received.includes(final?.output ?? '')
          ? undefined
          : `its result is ${final?.output}, the upstream sent ${received.join(', ') || 'nothing'}`;
      },
    ),
};

export const failedForAReason: Invariant = {
  name: 'failed-for-a-reason',
  title: 'A task fails only after its last attempt or a final answer of the upstream',
  check: ({ works, policy, executionsById }) =>
    examine(
      [...works].filter(([, { final }]) => final?.state === 'failed'),
      ({ id, final, calls }) => {
        // The attempt of a standalone activity failed or died before it learned of the cancellation.
        if (executionsById.get(id)?.[0]?.isCancelRequested) return undefined;
        if (final?.reason === 'attempts-exhausted')
          return final.attempt === policy.maximumAttempts ? undefined : `exhausted after ${final.attempt} attempts`;
        if (final?.reason === 'non-retryable')
          return calls.some(isFinalStatus) ? undefined : 'non-retryable without a final answer of the upstream';
        return `failed: ${final?.reason}, ${final?.failureType}`;
      },
    ),
};

export const attemptsBounded: Invariant = {
  name: 'attempts-bounded',
  title:
    'No task makes more attempts than the maximum, and only a cut connection or a lost slice lets an attempt call twice',
  check: ({ works, policy, faultWithin, lostSlices }) =>
    examine(works, ({ id, calls: all, final }) => {
      // The chunk repeats the first attempts of a lost slice. An item runs alone after two lost slices.
      let spared = Math.min(2, lostSlices.get(id) ?? 0);
      const calls = all.filter(({ attempt }, n) => attempt !== 1 || all[n - 1]?.attempt !== 1 || spared-- <= 0);
      const attempts = calls.map(({ attempt }) => attempt ?? 0);
      const beyond = attempts.find((attempt) => attempt < 1 || attempt > policy.maximumAttempts);
      if (beyond !== undefined) return `attempt ${beyond} of ${policy.maximumAttempts} called the upstream`;
      // A worker repeats a call once if its connection was reused and was cut before the answer.
      const isUnexplained = (call: LedgerEntry, index: number) => {
        const [before, beforeThat] = [calls[index - 1], calls[index - 2]];
        if (before?.attempt !== call.attempt) return false;
        if (beforeThat?.attempt === call.attempt) return true;
        return !faultWithin(before.startedAt - toleranceMs, call.startedAt + toleranceMs, cutting);
      };
      if (calls.some(isUnexplained)) return `an attempt made several calls: ${attempts.join(', ')}`;
      return (final?.attempt ?? 0) > policy.maximumAttempts ? `it shows attempt ${final?.attempt}` : undefined;
    }),
};

export const extraCallsExplained: Invariant = {
  name: 'extra-calls-explained',
  title: 'A fault explains each call whose answer was not used',
  check: (proof) => {
    const lost = [...proof.works].flatMap(([id, work]) =>
      toLostCalls(work).map((call) => [id, { work, call }] as const),
    );
    const { findings } = examine(lost, ({ work, call }) => {
      const { attempt, outcome, status } = call;
      if (proof.faultWithin(call.startedAt - reachMs, endOf(call) + reachMs)) return undefined;
      // A cancelled attempt abandons its call, so no fault is needed to explain that.
      if (work.cancelledAt !== undefined && work.cancelledAt <= endOf(call) + reachMs) return undefined;
      return `the call of attempt ${attempt} (${outcome}, ${status ?? 'no status'}) was wasted, and no fault was near`;
    });
    return { checked: proof.calls.length, findings };
  },
};

/**
 * Returns the wasted calls: calls that the worker abandoned, and calls with a good or final answer that were followed
 * by another attempt.
 */
function toLostCalls({ calls }: Work): LedgerEntry[] {
  const last = calls.at(-1);
  return calls.filter(
    (call) => call.outcome === 'client-gone' || (call !== last && (isAnswered200(call) || isFinalStatus(call))),
  );
}

export const cancelStopsCalls: Invariant = {
  name: 'cancel-stops-calls',
  title: 'A task with a confirmed cancellation ends as cancelled, and its upstream calls stop with the next heartbeat',
  check: (proof) => {
    const { policy, faultWithin, works, executionsById } = proof;
    const cancelled = [...works.values()].filter(({ cancelledAt }) => cancelledAt !== undefined);
    const findings: Finding[] = [];
    for (const { id, batchId, final, cancelledAt = 0, calls } of cancelled) {
      const { status, isStandalone } = executionsById.get(batchId ?? id)?.[0] ?? {};
      // If the attempt of a standalone activity ends before it learns of the cancellation, the activity ends as it did.
      const isKept = isStandalone && calls.length > 0 && ['COMPLETED', 'FAILED', 'TIMED_OUT'].includes(status ?? '');
      if (status !== 'CANCELLED' && !isKept)
        findings.push({ id, text: `its cancellation was confirmed; Temporal has ${status}` });
      if (!batchId && final?.state !== 'cancelled' && !isKept)
        findings.push({ id, text: `its cancellation was confirmed; it ended as ${final?.state}` });
      // A batch needs longer than a task: it cancels its chunks, and the chunks cancel the activities.
      const boundMs = policy.heartbeatTimeoutMs + (batchId ? 3_000 : 1_000);
      const late = calls.filter(
        ({ startedAt }) => startedAt > cancelledAt + boundMs && !faultWithin(cancelledAt - aftermathMs, startedAt),
      );
      for (const { attempt, startedAt } of late)
        findings.push({
          id,
          text: `attempt ${attempt} came ${Math.round(startedAt - cancelledAt)} ms after the cancellation`,
        });
    }
    return { checked: cancelled.length, findings };
  },
};
