import { policySchema, toWaitMs } from '../../src/policy.ts';
import { type Check, expectThat } from '../checks/check.ts';
import type { Context } from './context.ts';

const calculations = 100_000;
/** What attempts 1 to 5 of six wait together, 2 + 4 + 8 + 16 + 32 s, in each of 20,000 rounds. */
const expectedSumMs = 62_000 * 20_000;
const limitMicroseconds = 10;
const limitPerSecond = 100_000;

/** The sum is used, so that no calculation can be optimised away. */
export function calculate(count: number): { sumMs: number; seconds: number } {
  const policy = policySchema.parse({ maximumAttempts: 6 });
  const started = performance.now();
  let sumMs = 0;
  for (let index = 0; index < count; index += 1) sumMs += toWaitMs(policy, (index % 5) + 1) ?? 0;
  return { sumMs, seconds: (performance.now() - started) / 1_000 };
}

export const benchmark: Check<Context> = {
  title: 'Performance Benchmark',
  async run(_, { say }) {
    say(`Calculating ${calculations.toLocaleString('en')} delays:`);
    calculate(10_000);
    const { sumMs, seconds } = calculate(calculations);
    const microseconds = (seconds / calculations) * 1_000_000;
    const perSecond = calculations / seconds;
    say(`  Total time: ${(seconds * 1_000).toFixed(1)}ms`);
    say(`  Per calculation: ${microseconds.toFixed(3)}µs`);
    say(`  Calculations/sec: ${Math.round(perSecond).toLocaleString('en')}`);
    expectThat(sumMs === expectedSumMs, `The delays add up to ${sumMs} ms, expected ${expectedSumMs} ms`);
    const isFast = microseconds < limitMicroseconds && perSecond > limitPerSecond;
    const limits = `${limitMicroseconds}µs per calculation and ${limitPerSecond.toLocaleString('en')}/sec`;
    expectThat(isFast, `Slower than ${limits}`);
    return `Faster than ${limits}`;
  },
};
