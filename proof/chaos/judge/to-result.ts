import { toMachine, toPercentiles } from '../../../cli/measurement.ts';
import type { Evidence } from '../types.ts';
import { toGuards, toVerifiedKills } from './guards.ts';
import { invariants } from './invariants/index.ts';
import { toRecoveries, toRecoveryBoundMs } from './invariants/timing.ts';
import { type Case, joinEvidence } from './join.ts';
import type { InvariantResult, ProveResult } from './result.ts';
import { toTimeline } from './to-timeline.ts';

/** The result shows at most this many violations of each invariant. */
const mostViolations = 5;

const toCount = (count: number) => count.toLocaleString('en');

/**
 * Returns what it means to see `violated` violations in `checked` cases. If `violated` is 0, the true share of
 * violations is below 3 / `checked` at 95 % confidence (the rule of three, Hanley and Lippman-Hand 1983). The rule of
 * three assumes independent cases. The cases of one run are not fully independent.
 */
export function toMeaning(violated: number, checked: number): string {
  if (checked === 0) return 'nothing to look at';
  if (violated > 0) return `${toCount(violated)} of ${toCount(checked)}`;
  const percent = Math.min(100, 300 / checked);
  const share = percent < 10 ? percent.toPrecision(2) : Math.round(percent);
  return `0 of ${toCount(checked)}: below ${share} % at 95 % confidence`;
}

function check(proof: Case): InvariantResult[] {
  return invariants.map(({ name, title, check }) => {
    const { checked, findings } = check(proof);
    return {
      name,
      title,
      checked,
      violated: findings.length,
      meaning: toMeaning(findings.length, checked),
      violations: findings.slice(0, mostViolations).map(({ id, text }) => ({ id, text, story: toTimeline(proof, id) })),
    };
  });
}

function toThroughput({ startedAt, executions, calls, accepted }: Case): ProveResult['throughput'] {
  const seconds = new Map<number, { accepted: number; ended: number; calls: number }>();
  const add = (at: number, what: 'accepted' | 'ended' | 'calls', count = 1) => {
    const second = Math.max(0, Math.floor((at - startedAt) / 1_000));
    const bin = seconds.get(second) ?? { accepted: 0, ended: 0, calls: 0 };
    bin[what] += count;
    seconds.set(second, bin);
  };
  for (const { at, items } of accepted.values()) add(at, 'accepted', items);
  for (const { id, closedAt } of executions)
    if (closedAt && !id.includes('~')) add(closedAt, 'ended', accepted.get(id)?.items ?? 1);
  for (const call of calls) add(call.startedAt, 'calls');
  const last = Math.max(0, ...seconds.keys());
  return Array.from({ length: last + 1 }, (_, second) => ({
    second,
    ...(seconds.get(second) ?? { accepted: 0, ended: 0, calls: 0 }),
  }));
}

/** Judges a run: `failed` if an invariant is broken, `unknown` if too little happened to judge it, else `passed`. */
export function toResult(evidence: Evidence, { command, seconds }: { command: string; seconds: number }): ProveResult {
  const proof = joinEvidence(evidence);
  const { startedAt, faults, ended, calls, accepted, works } = proof;
  const results = check(proof);
  const guards = toGuards(proof, Object.fromEntries(results.map(({ name, checked }) => [name, checked])));
  const isBroken = results.some(({ violated }) => violated > 0);
  const values = toRecoveries(proof).map(({ recoveryMs }) => Math.max(0, Math.round(recoveryMs)));
  const of = (type: string) => ended.filter(({ end }) => end.type === type).length;
  const states = [...works.values()].map(({ final }) => final?.state);
  const endedAs = (state: string) => states.filter((one) => one === state).length;
  return {
    verdict: isBroken ? 'failed' : guards.every(({ holds }) => holds) ? 'passed' : 'unknown',
    command,
    seed: evidence.seed,
    machine: `${toMachine()}, Node ${process.version}`,
    startedAt: new Date(startedAt).toISOString(),
    seconds: Math.round(seconds),
    figures: {
      'tasks accepted, items and reruns included': works.size,
      batches: [...accepted.values()].filter(({ isBatch }) => isBatch).length,
      'ended as completed': endedAs('completed'),
      'ended as failed': endedAs('failed'),
      'ended as cancelled': endedAs('cancelled'),
      'client operations that were done': of('ok'),
      'client operations that were certainly not done': of('fail'),
      'client operations of unknown outcome': of('info'),
      'calls of the upstream': calls.length,
      'attempts after the first': calls.filter(({ attempt }) => (attempt ?? 1) > 1).length,
      'faults with effect': `${faults.filter(({ verified }) => verified).length} of ${faults.length}`,
      'verified kill -9': toVerifiedKills(proof),
    },
    invariants: results,
    guards,
    faults: faults.map(({ number, kind, target, verified, seen, ...fault }) => ({
      number,
      kind,
      target,
      verified,
      seen,
      from: (fault.startedAt - startedAt) / 1_000,
      to: (fault.endedAt - startedAt) / 1_000,
    })),
    throughput: toThroughput(proof),
    recovery: { values, boundMs: toRecoveryBoundMs(proof), percentiles: toPercentiles(values) },
  };
}
