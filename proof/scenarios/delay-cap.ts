import { prepareTimeSkipping } from '../../local/time-skipping/prepare-time-skipping.ts';
import { type Check, expectThat } from '../checks/check.ts';
import type { Scene } from './scene.ts';
import { toSeconds } from './until.ts';
import { expectWaits } from './waits.ts';

const variables = { MAX_ATTEMPTS: '10', MAX_DELAY: '60' };
const expected = [2, 4, 8, 16, 32, 60, 60, 60, 60];

/** No wait is longer than the cap of 60 s. The server skips the time of the waits, so the scenario takes seconds. */
export const delayCap: Check<Scene> = {
  title: 'Max Delay Cap',
  async run(_, { say, signal }) {
    say(
      'Set-up: workflow, activity and policy on the time-skipping server, an upstream that answers 503 to every call',
    );
    say(
      `        ${Object.entries(variables)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`,
    );
    const skipping = await prepareTimeSkipping({ say, signal });
    try {
      say('Action: one task is submitted');
      const started = performance.now();
      const trial = { variables, behaviours: [{ status: 503 }], repeat: true };
      const [task] = await skipping.runAll([trial], { signal });
      const realMs = performance.now() - started;
      const { waits = [], calls = [], failure } = task ?? {};
      say(`Observation: ${calls.length} upstream calls, with these waits between them by the server's clock`);
      expectWaits(waits, expected, say);
      const virtual = waits.reduce((sum, wait) => sum + wait, 0);
      say(`  virtual time ${virtual.toFixed(2)} s, real time ${toSeconds(realMs)}`);
      say(`  the task: failed, ${failure?.type}, ${failure?.retryState}`);
      expectThat(calls.length === 10, `The upstream was called ${calls.length} times, not 10`);
      expectThat(
        failure?.retryState === 'MAXIMUM_ATTEMPTS_REACHED',
        `The task did not end with its last attempt: ${failure?.type}, ${failure?.retryState}`,
      );
      return `Waits stop growing at the cap: [${expected.join(', ')}] s`;
    } finally {
      await skipping.stop();
    }
  },
};
