import { policySchema, toWaitMs } from '../../src/policy.ts';
import { type Check, expectThat } from '../checks/check.ts';
import type { Context } from './waits.ts';

const limits = [1, 3, 5];
const exhausted = 'MAXIMUM_ATTEMPTS_REACHED';

export const maxAttempts: Check<Context> = {
  title: 'Max Attempts Enforcement',
  async run({ timeSkipping }, { say, signal }) {
    const { runAll } = await timeSkipping();
    const trials = limits.map((limit) => ({
      variables: { MAX_ATTEMPTS: String(limit) },
      behaviours: [{ status: 503 }],
      repeat: true,
    }));
    say('An upstream that always answers 503:');
    const faults: string[] = [];
    for (const [index, { calls, failure }] of (await runAll(trials, { signal })).entries()) {
      const limit = limits[index] ?? Number.NaN;
      const policy = policySchema.parse({ maximumAttempts: limit });
      const after = toWaitMs(policy, limit);
      say(
        `  MAX_ATTEMPTS=${limit}: calls to the upstream ${calls.length}, wait after attempt ${limit}: ${after ?? 'none'}`,
      );
      if (calls.length !== limit || failure?.retryState !== exhausted)
        faults.push(`MAX_ATTEMPTS=${limit}: ${calls.length} upstream calls, ended with ${failure?.retryState}`);
      if (after !== null) faults.push(`The policy would wait ${after} ms after attempt ${limit} of ${limit}`);
      if (limit > 1 && toWaitMs(policy, limit - 1) === null)
        faults.push(`The policy would end with attempt ${limit - 1} of ${limit}`);
    }
    expectThat(faults.length === 0, faults.join('\n'));
    return `MAX_ATTEMPTS of ${limits.join(', ')} gave exactly that many upstream calls, and no wait follows the last`;
  },
};
