import { toSeededShare } from '../../../cli/seeded-share.ts';
import { type FaultKind, faultKinds, type PlannedFault } from '../types.ts';

/** The relative frequency of each kind. Kills are the most frequent. */
const weights: Record<FaultKind, number> = {
  'kill-worker': 14,
  'kill-api': 10,
  'kill-temporal': 12,
  'stop-worker': 7,
  'stop-api': 4,
  'stop-temporal': 4,
  'deploy-worker': 5,
  'deploy-api': 4,
  'upstream-5xx': 5,
  'upstream-429': 5,
  'upstream-hang': 3,
  'upstream-reset': 4,
  'upstream-slow': 3,
  'delay-clients': 2,
  'delay-temporal': 3,
  'delay-upstream': 2,
  'cut-clients': 3,
  'cut-temporal': 4,
  'cut-upstream': 3,
  'drop-clients': 4,
  'drop-temporal': 4,
  'drop-upstream': 3,
};

/**
 * The shortest and longest duration of each kind, in milliseconds. After a kill, the restart begins when the duration
 * is over. A worker can be stopped for longer than the heartbeat timeout of 2 s.
 */
const durations: Record<string, [number, number]> = {
  kill: [0, 300],
  stop: [300, 4_000],
  deploy: [0, 0],
  upstream: [800, 2_500],
  delay: [500, 2_000],
  cut: [0, 600],
  drop: [300, 1_500],
};
const toFamily = (kind: FaultKind) => kind.split('-')[0] as string;

/** After a killed worker has restarted, the next fault waits this long, so that the recovery can be measured. */
const calmAfterWorkerMs = 4_500;
const pauses: [number, number] = [-800, 1_600];

const between = ([from, to]: [number, number], share: number) => Math.round(from + (to - from) * share);

/**
 * Returns the kinds of `total` faults, in proportion to their weights. If `total` allows, no kind is missing.
 * Shares are rounded down, and the faults that are then missing go to the kinds with the largest remainders.
 */
function toCounts(kinds: readonly FaultKind[], total: number): FaultKind[] {
  const sum = kinds.reduce((all, kind) => all + weights[kind], 0);
  const exact = kinds.map((kind) => ({ kind, share: (total * weights[kind]) / sum }));
  const deck = exact.flatMap(({ kind, share }) => Array<FaultKind>(Math.max(1, Math.floor(share))).fill(kind));
  const byRemainder = [...exact].sort((a, b) => (b.share % 1) - (a.share % 1));
  for (let next = 0; deck.length < total; next += 1)
    deck.push((byRemainder[next % kinds.length] as (typeof exact)[0]).kind);
  return deck.slice(0, total);
}

type Options = { seed: number; faults: number; only?: readonly FaultKind[] };

/** Plans the faults of a run, in order. The same seed, number and kinds give the same plan on every machine. */
export function planFaults({ seed, faults, only = faultKinds }: Options): PlannedFault[] {
  // Sorting by a hash of the index shuffles the deck.
  const deck = toCounts(only, faults)
    .map((kind, card) => ({ kind, order: toSeededShare(seed, 'order', card) }))
    .sort((a, b) => a.order - b.order);
  return deck.map(({ kind }, index) => ({
    number: index + 1,
    kind,
    pick: toSeededShare(seed, 'pick', index),
    durationMs: between(durations[toFamily(kind)] as [number, number], toSeededShare(seed, 'duration', index)),
    pauseMs: kind === 'kill-worker' ? calmAfterWorkerMs : between(pauses, toSeededShare(seed, 'pause', index)),
  }));
}

/** Estimates the duration of a plan in milliseconds. */
export const toEstimateMs = (plan: PlannedFault[]) =>
  plan.reduce((sum, { durationMs, pauseMs }) => sum + durationMs + Math.max(0, pauseMs) + 1_000, 0);
