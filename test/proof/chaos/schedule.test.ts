import { describe, expect, test } from 'vitest';
import { planFaults } from '../../../proof/chaos/faults/schedule.ts';
import { planClients } from '../../../proof/chaos/load/client-plans.ts';
import { faultKinds } from '../../../proof/chaos/types.ts';

describe('the schedule of faults', () => {
  test('is the same for the same seed, and differs for another seed', () => {
    const plan = planFaults({ seed: 7, faults: 100 });
    expect(planFaults({ seed: 7, faults: 100 })).toEqual(plan);
    expect(planFaults({ seed: 8, faults: 100 })).not.toEqual(plan);
  });

  test.each([1, 2, 3])('has every kind of fault and the requested number of faults, with seed %i', (seed) => {
    const plan = planFaults({ seed, faults: 75 });
    expect(plan).toHaveLength(75);
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
    // `npm run prove -- --quick` promises 20 verified kills over all three kinds of process.
    expect(plan.filter(({ kind }) => kind.startsWith('kill-')).length).toBeGreaterThanOrEqual(22);
  });

  test('has only the requested kinds', () => {
    const plan = planFaults({ seed: 1, faults: 10, only: ['kill-api', 'stop-worker'] });
    expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(['kill-api', 'stop-worker']));
    expect(plan.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('lets no fault follow the kill of a worker for 4 s, and lets other faults overlap', () => {
    const plan = planFaults({ seed: 1, faults: 300 });
    const calms = plan.filter(({ kind }) => kind === 'kill-worker').map(({ pauseMs }) => pauseMs);
    expect(Math.min(...calms)).toBeGreaterThan(4_000);
    expect(plan.some(({ pauseMs }) => pauseMs < 0)).toBe(true);
  });
});

describe('the plans of clients', () => {
  const plans = planClients({ seed: 7, tasks: 1_000 });
  const toBatches = (all: typeof plans) =>
    all.flatMap(({ isBatch, categories }) => (isBatch ? [categories.length] : []));

  test('are the same for the same seed, and each has its own key', () => {
    expect(planClients({ seed: 7, tasks: 1_000 })).toEqual(plans);
    expect(new Set(plans.map(({ key }) => key)).size).toBe(plans.length);
  });

  test('submit the requested number of tasks, about half of them in batches of 10 to 50', () => {
    const items = toBatches(plans);
    const total = plans.reduce((sum, { categories }) => sum + categories.length, 0);
    expect(total).toBe(1_000);
    const small = items.filter((size) => size <= 50);
    const inBatches = small.reduce((sum, size) => sum + size, 0);
    const inLargeBatches = items.reduce((sum, size) => sum + size, 0) - inBatches;
    expect(inBatches / (total - inLargeBatches)).toBeGreaterThan(0.4);
    expect(inBatches / (total - inLargeBatches)).toBeLessThan(0.6);
    for (const size of small.slice(0, -1)) expect(size).toBeGreaterThanOrEqual(10);
  });

  test.each([
    [1_500, 1],
    [2_000, 1],
    [5_000, 2],
    [10_000, 4],
  ])('of %i tasks contain %i or more batches of 500 to 700, beside the small ones', (tasks, least) => {
    for (const seed of [1, 2, 3]) {
      const items = toBatches(planClients({ seed, tasks })).filter((size) => size > 50);
      expect(items.length).toBeGreaterThanOrEqual(least);
      for (const size of items) expect(size >= 500 && size <= 700).toBe(true);
    }
  });

  test('contain every action of clients', () => {
    for (const holds of [
      'readsOwnWrite',
      'repeats',
      'contradicts',
      'watches',
      'reruns',
    ] as const satisfies (keyof (typeof plans)[0])[])
      expect(plans.some((plan) => plan[holds])).toBe(true);
    expect(plans.some(({ cancelsAfterMs, isBatch }) => cancelsAfterMs !== undefined && isBatch)).toBe(true);
    expect(plans.some(({ cancelsAfterMs, isBatch }) => cancelsAfterMs !== undefined && !isBatch)).toBe(true);
  });
});
