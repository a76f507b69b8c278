import type { LedgerEntry } from '../../../../local/joke-api/ledger.ts';
import { toWaitMs } from '../../../../src/policy.ts';
import { faultRetryAfterSeconds } from '../../faults/upstream-rules.ts';
import { type Case, disturbing, postponing } from '../join.ts';
import { toChance } from './chance.ts';
import { aftermathMs, endOf, examine, type Invariant, reachMs, toCases, toleranceMs } from './invariant.ts';

/** What the server's timers, a poll and a busy machine can add to an undisturbed wait. */
const latenessMs = 2_500;
/** A slice reports the first attempts of its items up to this time after their ends. */
const reportMs = 1_000;
const toReportMs = (id: string, { attempt }: LedgerEntry) => (id.includes('/') && attempt === 1 ? reportMs : 0);

/** Returns the shortest wait after `call` that the policy and the Retry-After of its answer allow, in milliseconds. */
function toLeastWaitMs({ policy, faultWithin }: Case, call: LedgerEntry): number {
  const wait = toWaitMs(policy, call.attempt ?? 1) ?? 0;
  // If a fault may have kept the answer, and so its Retry-After, from the worker, only the policy's wait is due.
  if (call.status !== 429 || faultWithin(call.startedAt - toleranceMs, endOf(call) + reachMs)) return wait;
  const byFault = Math.max(wait, faultRetryAfterSeconds * 1_000);
  const isLimited = call.category === 'prove-limited' && call.attempt === 1;
  const mayBeFault = faultWithin(call.startedAt - toleranceMs, call.startedAt + toleranceMs, new Set(['upstream-429']));
  return isLimited && !mayBeFault ? policy.maximumIntervalMs : byFault;
}

/** Returns each pair of consecutive calls of a task. Leaves out pairs of calls of the same attempt. */
const toGaps = ({ works }: Case) =>
  [...works.values()].flatMap(({ id, calls }) =>
    calls
      .slice(1)
      .map((next, index) => ({ id, before: calls[index] as LedgerEntry, next }))
      .filter(({ before, next }) => before.attempt !== next.attempt),
  );

export const gapsFollowPolicy: Invariant = {
  name: 'gaps-follow-policy',
  title:
    'The wait between two attempts is the policy’s, lengthened by jitter or Retry-After and clamped at the maximum',
  check: (proof) => {
    const { policy, faultWithin } = proof;
    const gaps = toGaps(proof).filter(
      ({ before, next }) =>
        !faultWithin(before.startedAt - reachMs, Math.max(next.startedAt, endOf(before)), postponing),
    );
    return examine(toCases(gaps), ({ id, before, next }) => {
      const least = toLeastWaitMs(proof, before);
      const isCalm = !faultWithin(before.startedAt - aftermathMs, next.startedAt);
      const base = isCalm ? endOf(before) : before.startedAt;
      const gap = next.startedAt - base;
      const words = `from attempt ${before.attempt} (${before.status ?? before.outcome}) to ${next.attempt}: ${Math.round(gap)} ms`;
      if (gap < least - toleranceMs) return `${words}, but at least ${least} ms were due`;
      const isNext = next.attempt === (before.attempt ?? 0) + 1;
      const most =
        Math.min(policy.maximumIntervalMs, least * (1 + policy.jitter)) + latenessMs + toReportMs(id, before);
      return isCalm && isNext && gap > most ? `${words}, but at most ${Math.round(most)} ms were due` : undefined;
    });
  },
};

/** A fault that was healed longer than this before a kill does not affect the recovery from the kill. */
const quietMs = 500;

/**
 * For each call that died with a killed worker, returns the milliseconds from the kill -9 to the next attempt, minus
 * the longest wait that the policy allows before that attempt. Leaves out calls that another fault may have affected.
 */
export function toRecoveries({ faults, works, policy, ...proof }: Case): { id: string; recoveryMs: number }[] {
  const kills = faults.filter(({ kind, verified }) => kind === 'kill-worker' && verified);
  const all = [...works.values()];
  return kills.flatMap((kill) =>
    all.flatMap(({ id, calls, cancelledAt }) =>
      calls.flatMap((call, index) => {
        const next = calls[index + 1];
        const diedWithIt =
          call.outcome === 'client-gone' &&
          Math.abs(endOf(call) - kill.startedAt) < 300 &&
          call.startedAt < kill.startedAt;
        if (!diedWithIt || !next || cancelledAt !== undefined || next.attempt !== (call.attempt ?? 0) + 1) return [];
        const hasOther = faults.some(
          (fault) =>
            fault !== kill &&
            disturbing.has(fault.kind) &&
            fault.startedAt <= next.startedAt &&
            fault.endedAt >= kill.startedAt - quietMs,
        );
        if (hasOther) return [];
        const wait = toLeastWaitMs({ faults, works, policy, ...proof }, call) * (1 + policy.jitter);
        return [{ id, recoveryMs: next.startedAt - kill.startedAt - Math.min(wait, policy.maximumIntervalMs) }];
      }),
    ),
  );
}

/** The time that recovery may take in addition to the heartbeat timeout. */
const recoverySlackMs = 2_000;
export const toRecoveryBoundMs = ({ policy }: Pick<Case, 'policy'>) => policy.heartbeatTimeoutMs + recoverySlackMs;

export const recovery: Invariant = {
  name: 'recovery',
  title: 'The attempts of a killed worker are repeated within heartbeat timeout plus wait plus 2 s (p99)',
  check: (proof) => {
    const all = toRecoveries(proof).sort((a, b) => a.recoveryMs - b.recoveryMs);
    const boundMs = toRecoveryBoundMs(proof);
    const late = all.filter(({ recoveryMs }) => recoveryMs > boundMs);
    const isBroken = late.length > 0 && toChance(late.length, all.length) < 0.05;
    const findings = isBroken
      ? late.map(({ id, recoveryMs }) => ({ id, text: `it took ${Math.round(recoveryMs)} ms plus its wait` }))
      : [];
    return { checked: all.length, findings };
  },
};

export const endedInTime: Invariant = {
  name: 'ended-in-time',
  title: 'Everything ends within a minute after the last fault was healed',
  check: ({ executions, lastHealAt, startedAt }) =>
    examine(toCases(executions), ({ closedAt, status, ...execution }) => {
      if (closedAt === undefined) return `it is still ${status}`;
      const lateMs = closedAt - Math.max(lastHealAt, execution.startedAt, startedAt);
      return lateMs > 60_000 ? `it ended ${Math.round(lateMs / 1_000)} s after the last heal` : undefined;
    }),
};
