import type { Mutation } from '../../../proof/mutate.ts';

const file = 'src/policy.ts';
const formula = 'backoff.initialIntervalMs * backoff.backoffCoefficient ** (attempt - 1)';
const limit = 'if (attempt >= backoff.maximumAttempts) return null;';
const filter = '[...new Set([...finalFailureTypes, ...policy.nonRetryableErrorTypes])]';

/** The check with this number and title must fail for the reason `because`. */
type BackoffMutant = Mutation & { name: string; check: [number: number, title: string]; because: string };

export const backoffMutants: BackoffMutant[] = [
  {
    name: 'waits of 2·n instead of 2^n',
    file,
    from: formula,
    to: 'backoff.initialIntervalMs * attempt',
    check: [1, 'Exponential Backoff Unit Test'],
    because: 'the waits are [2, 4, 6, 8, 10, none], expected [2, 4, 8, 16, 32, none]',
  },
  {
    name: 'no cap',
    file,
    from: 'return Math.min(wait, backoff.maximumIntervalMs);',
    to: 'return wait;',
    check: [2, 'Max Delay Cap'],
    because: 'A wait of 512s exceeds the max delay of 60s',
  },
  {
    name: 'no final failure types',
    file,
    from: filter,
    to: '[] as string[]',
    check: [3, 'Exception Filtering'],
    because: 'HTTP 404: 2 calls, UpstreamRejected, MAXIMUM_ATTEMPTS_REACHED; expected 1 call',
  },
  {
    name: 'NON_RETRYABLE_ERRORS ignored',
    file,
    from: filter,
    to: '[...finalFailureTypes] as string[]',
    check: [3, 'Exception Filtering'],
    because: 'HTTP 429: 2 calls, UpstreamRateLimited, MAXIMUM_ATTEMPTS_REACHED; expected 1 call',
  },
  {
    name: '> for >= in the limit of attempts',
    file,
    from: limit,
    to: limit.replace('>=', '>'),
    check: [4, 'Max Attempts Enforcement'],
    because: 'The policy would wait 8000 ms after attempt 3 of 3',
  },
  {
    name: 'an attempt more than allowed on the server',
    file,
    from: 'maximumAttempts: policy.maximumAttempts,',
    to: 'maximumAttempts: policy.maximumAttempts + 1,',
    check: [4, 'Max Attempts Enforcement'],
    because: 'MAX_ATTEMPTS=5: 6 upstream calls',
  },
  {
    name: 'one initial interval for all tasks on the server',
    file,
    from: 'initialInterval: policy.initialIntervalMs,',
    to: 'initialInterval: 2_000,',
    check: [5, 'Concurrent Retry Stress Test'],
    because: 's, shorter than 3 s',
  },
  {
    name: 'waits kept from one calculation to the next, whatever its policy',
    file,
    from: formula,
    to: `((globalThis.kept ??= [])[attempt] ??= ${formula})`,
    check: [5, 'Concurrent Retry Stress Test'],
    because: 'Among 10,000 concurrent calculations: the waits are',
  },
  {
    name: 'the initial interval ignored',
    file,
    from: formula,
    to: formula.replace('backoff.initialIntervalMs', '2_000'),
    check: [6, 'Different Base Delays'],
    because: 'base 0.1s, coefficient 2: the waits are [2, 4, 8, 16, none]',
  },
  {
    name: 'a calculation that takes 20 µs',
    file,
    from: limit,
    to: `const end = performance.now() + 0.02; while (performance.now() < end); ${limit}`,
    check: [7, 'Performance Benchmark'],
    because: 'Slower than 10µs per calculation and 100,000/sec',
  },
];
