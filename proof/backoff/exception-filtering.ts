import type { Behaviour } from '../../local/joke-api/behaviour.ts';
import type { Trial } from '../../local/time-skipping/trial.ts';
import { type Check, expectThat } from '../checks/check.ts';
import type { Context } from './waits.ts';

type Case = { upstream: string; behaviour: Behaviour; type: string; variables?: Trial['variables'] };

/** A hanging attempt passes in real time. Its own deadline must come before the server's heartbeat timeout. */
const shortTimeouts = { JOB_TIMEOUT: '3', HEARTBEAT_TIMEOUT: '2.5' };

const retried: Case[] = [
  { upstream: 'HTTP 500', behaviour: { status: 500 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 502', behaviour: { status: 502 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 503', behaviour: { status: 503 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 504', behaviour: { status: 504 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 408', behaviour: { status: 408 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 425', behaviour: { status: 425 }, type: 'UpstreamUnavailable' },
  { upstream: 'HTTP 429', behaviour: { status: 429 }, type: 'UpstreamRateLimited' },
  { upstream: 'reset connection', behaviour: { reset: 'before-headers' }, type: 'UpstreamUnreachable' },
  { upstream: 'reset in the body', behaviour: { reset: 'mid-body' }, type: 'UpstreamUnreachable' },
  { upstream: 'body cut short', behaviour: { cutShort: true }, type: 'UpstreamUnreachable' },
  { upstream: 'truncated JSON', behaviour: { body: 'truncated-json' }, type: 'TruncatedResponse' },
  { upstream: 'no answer', behaviour: { hang: 'headers' }, type: 'UpstreamTimeout', variables: shortTimeouts },
  { upstream: 'no end of the body', behaviour: { hang: 'body' }, type: 'UpstreamTimeout', variables: shortTimeouts },
];

const final: Case[] = [
  { upstream: 'HTTP 400', behaviour: { status: 400 }, type: 'UpstreamRejected' },
  { upstream: 'HTTP 401', behaviour: { status: 401 }, type: 'UpstreamRejected' },
  { upstream: 'HTTP 404', behaviour: { status: 404 }, type: 'UpstreamRejected' },
  { upstream: 'redirect', behaviour: { location: '/jokes/categories' }, type: 'UpstreamRedirected' },
  { upstream: 'wrong shape', behaviour: { body: 'wrong-shape' }, type: 'InvalidResponse' },
  { upstream: 'HTML', behaviour: { body: 'html' }, type: 'InvalidResponse' },
  { upstream: 'empty body', behaviour: { body: 'empty' }, type: 'InvalidResponse' },
  { upstream: 'too large', behaviour: { body: 'huge' }, type: 'ResponseTooLarge' },
  { upstream: 'endless body', behaviour: { body: 'endless' }, type: 'ResponseTooLarge' },
];

/** One case for each retryable type that an upstream can cause, with that type in NON_RETRYABLE_ERRORS. */
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
  { heading: 'Final failures, two attempts allowed:', cases: final, expected: atOnce },
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
      // Hanging calls run apart: their deadlines are in real time, and other tasks must not delay them.
      const groups = [
        cases.filter(({ behaviour }) => !behaviour.hang),
        cases.filter(({ behaviour }) => behaviour.hang),
      ];
      for (const group of groups) {
        const ends = await runAll(group.map(toTrial), { signal });
        for (const [index, { upstream, type }] of group.entries()) {
          const { calls, failure } = ends[index] ?? { calls: [], failure: undefined };
          const seen = toEnd(calls.length, failure?.type, failure?.retryState);
          const wanted = toEnd(expected.calls, type, expected.retryState);
          say(`  ${upstream.padEnd(20)}${seen}`);
          if (seen !== wanted) faults.push(`${upstream}: ${seen}; expected ${wanted}`);
        }
      }
    }
    expectThat(faults.length === 0, faults.join('\n'));
    return `${retried.length} retryable failures are retried, ${final.length} final ones and ${madeFinal.length} in NON_RETRYABLE_ERRORS make exactly one call`;
  },
};
