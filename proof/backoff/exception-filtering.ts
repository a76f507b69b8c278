import type { Trial } from '../../local/time-skipping/trial.ts';
import { type Check, expectThat } from '../checks/check.ts';
import { finalFailures, retryableFailures, type UpstreamFailure } from '../checks/upstream-failures.ts';
import type { Context } from './waits.ts';

type Case = UpstreamFailure & { variables?: Trial['variables'] };

/**
 * The time-skipping server cannot skip the time of a hanging attempt, so these timeouts are short. The attempt must end
 * at its own deadline of 2.7 s. The heartbeat timeout of 2.5 s does not end the attempt before that, because heartbeats
 * restart the timeout.
 */
const shortTimeouts = { JOB_TIMEOUT: '3', HEARTBEAT_TIMEOUT: '2.5' };

const retried: Case[] = [
  ...retryableFailures,
  { name: 'no answer', behaviour: { hang: 'headers' }, type: 'UpstreamTimeout', variables: shortTimeouts },
  { name: 'no end of the body', behaviour: { hang: 'body' }, type: 'UpstreamTimeout', variables: shortTimeouts },
];

/** One case for each retryable failure type that an upstream can cause, with that type in NON_RETRYABLE_ERRORS. */
const madeFinal: Case[] = [
  'UpstreamUnavailable',
  'UpstreamRateLimited',
  'UpstreamUnreachable',
  'TruncatedResponse',
  'UpstreamTimeout',
].flatMap((type) => {
  const found = retried.find((one) => one.type === type);
  return found ? [{ ...found, variables: { ...found.variables, NON_RETRYABLE_ERRORS: type } }] : [];
});

const exhausted = { calls: 2, retryState: 'MAXIMUM_ATTEMPTS_REACHED' };
const atOnce = { calls: 1, retryState: 'NON_RETRYABLE_FAILURE' };
const parts = [
  { heading: 'Retryable failures, two attempts allowed:', cases: retried, expected: exhausted },
  { heading: 'Final failures, two attempts allowed:', cases: finalFailures, expected: atOnce },
  { heading: 'Retryable failures named in NON_RETRYABLE_ERRORS:', cases: madeFinal, expected: atOnce },
];

const toTrial = ({ behaviour, variables }: Case): Trial => ({
  behaviours: [behaviour],
  repeat: true,
  variables: { MAX_ATTEMPTS: '2', ...variables },
});

const toEnd = (calls: number, type = 'success', retryState = '') =>
  [`${calls} ${calls === 1 ? 'call' : 'calls'}`, type, retryState].filter(Boolean).join(', ');

export const exceptionFiltering: Check<Context> = {
  title: 'Exception Filtering',
  async run({ timeSkipping }, { say, signal }) {
    const { runAll } = await timeSkipping();
    const faults: string[] = [];
    for (const { heading, cases, expected } of parts) {
      say(heading);
      // Tasks with hanging calls run apart: the deadlines are in real time, and other tasks must not delay them.
      const groups = [
        cases.filter(({ behaviour }) => !behaviour.hang),
        cases.filter(({ behaviour }) => behaviour.hang),
      ];
      for (const group of groups) {
        const ends = await runAll(group.map(toTrial), { signal });
        for (const [index, { name, type }] of group.entries()) {
          const { calls, failure } = ends[index] ?? { calls: [], failure: undefined };
          const seen = toEnd(calls.length, failure?.type, failure?.retryState);
          const wanted = toEnd(expected.calls, type, expected.retryState);
          say(`  ${name.padEnd(26)}${seen}`);
          if (seen !== wanted) faults.push(`${name}: ${seen}; expected ${wanted}`);
        }
      }
    }
    expectThat(faults.length === 0, faults.join('\n'));
    return `${retried.length} retryable failures are retried, ${finalFailures.length} final ones and ${madeFinal.length} in NON_RETRYABLE_ERRORS make exactly one call`;
  },
};
