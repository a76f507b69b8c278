import { timeWaitCalculations } from '../../cli/measurement.ts';
import { type Check, expectThat } from '../checks/check.ts';
import type { Context } from './waits.ts';

const calculations = 100_000;
/** The calculations are 20,000 rounds. Each round adds the waits after attempts 1 to 5: 2 + 4 + 8 + 16 + 32 s. */
const expectedSumMs = 62_000 * 20_000;
const limitMicroseconds = 10;
const limitPerSecond = 100_000;

export const benchmark: Check<Context> = {
  title: 'Performance Benchmark',
  async run(_, { say }) {
    say(`Calculating ${calculations.toLocaleString('en')} delays:`);
    timeWaitCalculations(10_000);
    const { sumMs, seconds } = timeWaitCalculations(calculations);
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
