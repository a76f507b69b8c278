import type { Check } from '../checks/check.ts';
import { type Context, expectWaits, listWaits } from './waits.ts';

export const delayCalculation: Check<Context> = {
  title: 'Exponential Backoff Unit Test',
  async run(_, { say }) {
    say('Testing delay calculation (six attempts: without a sixth, no wait follows the fifth):');
    const waits = listWaits({ maximumAttempts: 6 });
    for (const [index, wait] of waits.entries()) if (wait !== null) say(`  Attempt ${index + 1}: ${wait}s`);
    expectWaits('Six attempts under the default policy', waits, [2, 4, 8, 16, 32, null]);
    expectWaits('The default policy', listWaits({}), [2, 4, 8, 16, null]);
    return 'Delays match expected exponential pattern [2, 4, 8, 16, 32]';
  },
};
