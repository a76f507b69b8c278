import { toPercentiles } from '../../../cli/measurement.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { expectOwnJokes } from '../calls.ts';
import { countOpen, submitAtOnce, untilAllFinished } from '../load.ts';
import type { Target } from '../target/target.ts';

const title = 'Burst Load Pattern';
const bursts = 5;
/** A burst smaller than this would be so short that one slow moment of the machine would decide the result. */
const smallestBurst = 100;
const mostGrowth = 1.5;

/**
 * The queue empties after each burst, and the last two bursts are hardly slower than the first two. Compares two with
 * two, because a slow moment of the machine can slow a single burst.
 */
export const burstLoad: Check<Target> = {
  title,
  async run(target, tools) {
    const { holdfast, record } = target;
    const { say } = tools;
    const count = Math.max(smallestBurst, Math.ceil(target.tasks / bursts));
    const p95s: number[] = [];
    say(`${bursts} bursts of ${count} tasks, after one to warm up...`);
    for (let burst = 0; burst <= bursts; burst += 1) {
      const { tasks, faults } = await submitAtOnce(target, { check: title, count }, tools);
      expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
      const finished = await untilAllFinished(holdfast, tasks, tools);
      const ledger = target.jokeApi ? (await target.jokeApi.ledger()).items : [];
      record.finished(title, finished, ledger);
      const open = await countOpen(holdfast, new Set(tasks.map(({ id }) => id)));
      const { p50, p95, max } = toPercentiles(
        finished.map((task) => Date.parse(task.finishedAt ?? '') - Date.parse(task.submittedAt)),
      );
      const completed = finished.filter(({ status }) => status === 'completed').length;
      if (target.jokeApi) {
        expectThat(completed === count, `${count - completed} of ${count} tasks did not complete`);
        await expectOwnJokes(finished, ledger, target.jokeApi);
      }
      // The first burst only warms up. Compared with it, every later burst would look fast.
      if (burst > 0) p95s.push(p95);
      say(
        `  ${burst > 0 ? `Burst ${burst}` : 'Warm-up'}: ${count} tasks ended; p50 ${p50} ms, p95 ${p95} ms, max ${max} ms; queue ${open}`,
      );
      expectThat(open === 0, `${open} tasks of burst ${burst} are still open before the next one`);
    }
    const early = Math.max(...p95s.slice(0, 2));
    const late = Math.min(...p95s.slice(-2));
    const ratio = late / early;
    const words = `${ratio.toFixed(2)} × that of the slower of the first two`;
    say(`  p95 of the faster of the last two bursts: ${words} (at most ${mostGrowth} ×)`);
    expectThat(ratio <= mostGrowth, `The p95 of the faster of the last two bursts is ${late} ms, ${words}`);
    return 'The queue emptied after every burst, and no burst slowed the next';
  },
};
