import { toPercentileLine, toPercentiles } from '../../../cli/measurement.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { expectOwnJokes } from '../calls.ts';
import { submitAtOnce, untilAllFinished } from '../load.ts';
import type { Target } from '../target/target.ts';

/** The testing guide of Holdfast's predecessor demanded this rate. With 100 tasks, the predecessor reached 42.74/s. */
const leastASecond = 40;
const predecessor = 42.74;
/** With fewer tasks than this, the rate shows only the latency of one submission, so it is not checked. */
const fewestForARate = 50;

const title = 'Concurrent Task Submissions';

/** All tasks are submitted at once. The API accepts each of them, at least at the required rate, and each ends. */
export const submissions: Check<Target> = {
  title,
  async run(target, tools) {
    const count = target.tasks;
    const { say } = tools;
    say(`Submitting ${count} tasks concurrently...\n`);
    const { tasks, latenciesMs, seconds, faults } = await submitAtOnce(target, { check: title, count }, tools);
    const rate = count / seconds;
    say('Submission Results:');
    say(`  Time taken: ${seconds.toFixed(2)}s`);
    say(`  Throughput: ${rate.toFixed(2)} submissions/sec (the predecessor: ${predecessor})`);
    say(`  Successful: ${tasks.length}/${count}`);
    say(`  Failed: ${faults.length}/${count}`);
    say(`  Latency: ${toPercentileLine(toPercentiles(latenciesMs))}`);
    expectThat(faults.length === 0, `${faults.length} of ${count} submissions were not accepted, first: ${faults[0]}`);

    const finished = await untilAllFinished(target.holdfast, tasks, tools);
    const ledger = target.jokeApi ? (await target.jokeApi.ledger()).items : [];
    target.record.finished(title, finished, ledger);
    const completed = finished.filter(({ status }) => status === 'completed').length;
    const latencies = finished.map((task) => Date.parse(task.finishedAt ?? '') - Date.parse(task.submittedAt));
    say(`  Completed: ${completed}/${count}`);
    say(`  Submission to end: ${toPercentileLine(toPercentiles(latencies))}`);
    if (target.jokeApi) {
      expectThat(completed === count, `${count - completed} of ${count} accepted tasks did not complete`);
      await expectOwnJokes(finished, ledger, target.jokeApi);
    }
    expectThat(
      count < fewestForARate || rate >= leastASecond,
      `${rate.toFixed(2)} submissions/sec, fewer than ${leastASecond}`,
    );
    return 'All tasks submitted successfully';
  },
};
