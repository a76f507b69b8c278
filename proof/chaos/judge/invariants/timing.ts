import type { LedgerEntry } from '../../../../local/joke-api/ledger.ts';
import { toWaitMs } from '../../../../src/policy.ts';
import { stormRetryAfterSeconds } from '../../faults/upstream-rules.ts';
import { type Case, disturbing, postponing } from '../join.ts';
import { aftermathMs, endOf, reachMs, toleranceMs } from './bounds.ts';
import { examine, type Invariant } from './invariant.ts';

/** What the server's timers, a poll and a busy machine add to a wait that nothing disturbs. */
const latenessMs = 2_500;
/** What was given out so long before a kill of Temporal has been noted: the interval is 1 s, and what is on its way holds it up. */
const unnotedMs = 4_000;

/** The least wait after that call, by policy and Retry-After. */
function toLeastWaitMs({ policy, faultWithin }: Case, call: LedgerEntry): number {
  const wait = toWaitMs(policy, call.attempt ?? 1) ?? 0;
  // An answer that got lost on its way asks for nothing.
  if (call.status !== 429 || faultWithin(call.startedAt - toleranceMs, endOf(call) + reachMs)) return wait;
  const byStorm = Math.max(wait, stormRetryAfterSeconds * 1_000);
  const isLimited = call.category === 'prove-limited' && call.attempt === 1;
  const mayBeStorm = faultWithin(call.startedAt - toleranceMs, call.startedAt + toleranceMs, new Set(['upstream-429']));
  return isLimited && !mayBeStorm ? policy.maximumIntervalMs : byStorm;
}

/**
 * A Temporal server that comes back from a kill gives out again what it had not yet noted as given out (docs/architecture.md, *The embedded
 * server*), and with it a retry before its time: nothing that a worker or workflow could see or mend. Ours note it each second or so.
 */
const isGivenOutEarly = ({ faults }: Case, before: LedgerEntry, next: LedgerEntry) =>
  faults.some(
    ({ kind, startedAt, endedAt }) =>
      kind === 'kill-temporal' &&
      startedAt - before.startedAt < unnotedMs &&
      endedAt >= before.startedAt - reachMs &&
      startedAt <= next.startedAt,
  );

/** How many attempts came before their time behind a kill of Temporal. */
export const countEarly = (proof: Case) =>
  toGaps(proof).filter(
    ({ before, next }) =>
      next.startedAt - before.startedAt < toLeastWaitMs(proof, before) - toleranceMs &&
      isGivenOutEarly(proof, before, next),
  ).length;

/** One attempt after the other, where nothing hides when the first began. */
const toGaps = ({ works }: Case) =>
  [...works.values()].flatMap(({ id, calls }) =>
    calls.slice(1).map((next, index) => ({ id, before: calls[index] as LedgerEntry, next })),
  );

export const gapsFollowPolicy: Invariant = {
  name: 'gaps-follow-policy',
  title:
    'Between two attempts lies the wait of the policy, lengthened by jitter or Retry-After and clamped at the maximum',
  check: (proof) => {
    const { policy, faultWithin } = proof;
    const gaps = toGaps(proof).filter(
      ({ before, next }) =>
        !faultWithin(before.startedAt - reachMs, Math.max(next.startedAt, endOf(before)), postponing),
    );
    return examine(
      gaps,
      ({ id }) => id,
      ({ before, next }) => {
        const least = toLeastWaitMs(proof, before);
        const isCalm = !faultWithin(before.startedAt - aftermathMs, next.startedAt);
        const base = isCalm ? endOf(before) : before.startedAt;
        const gap = next.startedAt - base;
        const words = `from attempt ${before.attempt} (${before.status ?? before.outcome}) to ${next.attempt}: ${Math.round(gap)} ms`;
        if (gap < least - toleranceMs && !isGivenOutEarly(proof, before, next))
          return `${words}, at least ${least} were due`;
        const isNext = next.attempt === (before.attempt ?? 0) + 1;
        const most = Math.min(policy.maximumIntervalMs, least * (1 + policy.jitter)) + latenessMs;
        return isCalm && isNext && gap > most ? `${words}, at most ${Math.round(most)} were due` : undefined;
      },
    );
  },
};

/** A fault that was healed so long before a kill has no part in what follows. */
const quietMs = 500;

/**
 * From a worker's kill -9 to the next attempt of each call that died with it, less the wait of the policy at its longest: milliseconds.
 * Only where no other fault had a say.
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

/** Beside the heartbeat timeout. */
const recoverySlackMs = 2_000;
export const toRecoveryBoundMs = ({ policy }: Pick<Case, 'policy'>) => policy.heartbeatTimeoutMs + recoverySlackMs;

export const recovery: Invariant = {
  name: 'recovery',
  title: 'What a killed worker held is tried again within heartbeat timeout, wait and 2 s (p99)',
  check: (proof) => {
    const all = toRecoveries(proof).sort((a, b) => a.recoveryMs - b.recoveryMs);
    const boundMs = toRecoveryBoundMs(proof);
    const late = all.filter(({ recoveryMs }) => recoveryMs > boundMs);
    // One in a hundred may be later.
    const isBroken = late.length > Math.floor(all.length / 100);
    const findings = isBroken
      ? late.map(({ id, recoveryMs }) => ({ id, text: `${Math.round(recoveryMs)} ms beside its wait` }))
      : [];
    return { checked: all.length, findings };
  },
};

export const endedInTime: Invariant = {
  name: 'ended-in-time',
  title: 'A minute after the last fault was healed everything has ended',
  check: ({ executions, lastHealAt, startedAt }) =>
    examine(
      executions,
      ({ id }) => id,
      ({ closedAt, status, ...execution }) => {
        if (closedAt === undefined) return `it is ${status} to this moment`;
        const lateMs = closedAt - Math.max(lastHealAt, execution.startedAt, startedAt);
        return lateMs > 60_000 ? `it ended ${Math.round(lateMs / 1_000)} s after the last heal` : undefined;
      },
    ),
};
