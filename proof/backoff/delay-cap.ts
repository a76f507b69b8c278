import { type Check, expectThat } from '../checks/check.ts';
import { type Context, expectWaits, listWaits } from './waits.ts';

const capSeconds = 60;

export const delayCap: Check<Context> = {
  title: 'Max Delay Cap',
  async run(_, { say }) {
    say(`Testing ten attempts with a max delay of ${capSeconds}s:`);
    const waits = listWaits({ maximumAttempts: 10, maximumIntervalMs: 60_000 });
    for (const [index, wait] of waits.entries())
      if (wait !== null) say(`  Attempt ${index + 1}: ${wait}s${wait === capSeconds ? ' (the cap)' : ''}`);
    const longest = Math.max(...waits.map(Number));
    expectThat(longest <= capSeconds, `A wait of ${longest}s exceeds the max delay of ${capSeconds}s`);
    expectWaits('Ten attempts, cap 60', waits, [2, 4, 8, 16, 32, 60, 60, 60, 60, null]);
    const last = listWaits({ maximumAttempts: 11 }).slice(-4);
    say('The default max delay of 300s binds from attempt 9 on:');
    for (const [index, wait] of last.entries()) if (wait !== null) say(`  Attempt ${index + 8}: ${wait}s`);
    expectWaits('Attempts 8 to 11, cap 300', last, [256, 300, 300, null]);
    return `No delay exceeds ${capSeconds}s in ten attempts, and the cap binds exactly from attempt 6 on`;
  },
};
