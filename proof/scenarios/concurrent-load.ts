import { type Check, expectThat } from '../checks/check.ts';
import { submissions } from '../system/checks/submissions.ts';
import { withOwnTarget } from '../system/target/own-target.ts';
import type { Scene } from './scene.ts';

const count = 100;

/** A hundred tasks submitted at once are all accepted, and each completes with one upstream call. */
export const concurrentLoad: Check<Scene> = {
  title: 'Concurrent Load',
  async run({ stackOptions, variables }, tools) {
    const { say } = tools;
    say('Set-up: Holdfast with its defaults, an upstream that answers correctly');
    return await withOwnTarget(stackOptions, { tasks: count, environment: variables }, async (target) => {
      say(`Action: ${count} tasks are submitted at once`);
      await submissions.run(target, tools);
      const { tasks } = target.record;
      const from = Math.min(...tasks.map(({ submittedAtMs }) => submittedAtMs));
      const seconds = (Math.max(...tasks.map(({ finishedAtMs }) => finishedAtMs)) - from) / 1_000;
      const calls = tasks.reduce((sum, { attempts }) => sum + attempts.length, 0);
      say(
        `Observation: ${tasks.length} tasks completed in ${seconds.toFixed(2)}s, ${(tasks.length / seconds).toFixed(2)} a second, with ${calls} calls to the upstream`,
      );
      const notOnce = tasks.filter(({ attempts }) => attempts.length !== 1);
      expectThat(
        tasks.length === count && notOnce.length === 0,
        `${tasks.length} of ${count} tasks ended; ${tasks.length - notOnce.length} of them with exactly one upstream call`,
      );
      return `All ${count} tasks were accepted and completed, each with one call to the upstream`;
    });
  },
};
