import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  finalFailureTypes,
  policySchema,
  retryableFailureTypes,
  timeoutFailureTypes,
  toActivityOptions,
  toDeadlineMs,
  toRetryDelayMs,
  toWaitMs,
} from '../../src/policy.ts';

type PolicyInput = Parameters<typeof policySchema.parse>[0];
const createPolicy = (input: PolicyInput = {}) => policySchema.parse(input);

/** Returns the wait after each attempt in seconds, and null for the last one. */
function waitsOf(input: PolicyInput = {}) {
  const policy = createPolicy(input);
  const attempts = Array.from({ length: policy.maximumAttempts }, (_, index) => index + 1);
  return attempts.map((attempt) => {
    const wait = toWaitMs(policy, attempt);
    return wait === null ? null : wait / 1_000;
  });
}

/** Returns a source of numbers in [0, 1) that is the same on every run (mulberry32). */
function createRandom(seed: number) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const anyPolicy = fc
  .record({
    initialIntervalMs: fc.integer({ min: 1, max: 86_400_000 }),
    backoffCoefficient: fc.double({ min: 1, max: 1_000, noNaN: true }),
    addedMs: fc.integer({ min: 0, max: 86_400_000 }),
    maximumAttempts: fc.integer({ min: 1, max: 10_000 }),
    jitter: fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000),
    startToCloseTimeoutMs: fc.integer({ min: 100, max: 86_400_000 }),
  })
  .map(({ addedMs, ...rest }) =>
    createPolicy({ ...rest, maximumIntervalMs: Math.min(86_400_000, rest.initialIntervalMs + addedMs) }),
  );
const anyAttempt = fc.integer({ min: 1, max: 10_000 });
const anyRandom = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1_000);

describe('the wait after a failed attempt', () => {
  // Seen to fail with `*` for `**`, with the exponent `attempt`, and with `>` for `>=`.
  it('is 2, 4, 8 and 16 s between five attempts by default, and none after the fifth', () => {
    expect(waitsOf()).toEqual([2, 4, 8, 16, null]);
  });

  it('reaches 32 s only with six attempts', () => {
    expect(waitsOf({ maximumAttempts: 6 })).toEqual([2, 4, 8, 16, 32, null]);
  });

  it('begins with the initial interval', () => {
    expect(waitsOf({ initialIntervalMs: 500, maximumAttempts: 4 })).toEqual([0.5, 1, 2, null]);
  });

  it('grows by the backoff coefficient, which may be a fraction', () => {
    expect(waitsOf({ backoffCoefficient: 3, maximumAttempts: 4 })).toEqual([2, 6, 18, null]);
    expect(waitsOf({ backoffCoefficient: 1.5, maximumAttempts: 4 })).toEqual([2, 3, 4.5, null]);
    expect(waitsOf({ backoffCoefficient: 1, maximumAttempts: 4 })).toEqual([2, 2, 2, null]);
  });

  // Seen to fail when the cap is dropped.
  it('never exceeds the maximum interval', () => {
    expect(waitsOf({ maximumAttempts: 10, maximumIntervalMs: 60_000 })).toEqual([
      2,
      4,
      8,
      16,
      32,
      60,
      60,
      60,
      60,
      null,
    ]);
  });

  it('first reaches the default cap of 300 s after attempt 9', () => {
    expect(waitsOf({ maximumAttempts: 11 }).slice(6)).toEqual([128, 256, 300, 300, null]);
  });

  it('is null after the only attempt', () => {
    expect(waitsOf({ maximumAttempts: 1 })).toEqual([null]);
  });

  it('is the cap after attempt 9,999 of 10,000, although the power overflows', () => {
    const policy = createPolicy({ maximumAttempts: 10_000, backoffCoefficient: 1_000 });
    expect(policy.backoffCoefficient ** 9_998).toBe(Number.POSITIVE_INFINITY);
    expect(toWaitMs(policy, 9_999)).toBe(300_000);
    expect(toWaitMs(policy, 10_000)).toBeNull();
  });

  it('never shrinks from one attempt to the next', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, (policy, attempt) => {
        const [wait, next] = [toWaitMs(policy, attempt), toWaitMs(policy, attempt + 1)];
        fc.pre(wait !== null && next !== null);
        expect(next).toBeGreaterThanOrEqual(wait);
      }),
    );
  });

  // Seen to fail when the cap is dropped.
  it('lies between the initial interval and the cap while attempts are left, and is null from the last attempt on', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, (policy, attempt) => {
        const wait = toWaitMs(policy, attempt);
        if (attempt >= policy.maximumAttempts) {
          expect(wait).toBeNull();
          return;
        }
        expect(wait).toBeGreaterThanOrEqual(policy.initialIntervalMs);
        expect(wait).toBeLessThanOrEqual(policy.maximumIntervalMs);
      }),
    );
  });
});

describe('the wait with Retry-After or jitter', () => {
  const policy = createPolicy();

  it.each([
    ["longer than the policy's wait: it is used", 7_000, 1, 7_000],
    ["shorter: the policy's wait is used", 7_000, 3, 8_000],
    ["0: the policy's wait is used", 0, 2, 4_000],
    ['a year: the cap is used', 365 * 86_400_000, 1, 300_000],
    ['infinite: the cap is used', Number.POSITIVE_INFINITY, 1, 300_000],
    ['after the last attempt: there is no wait', 7_000, 5, null],
  ])('with a Retry-After that is %s', (_, retryAfterMs, attempt, expected) => {
    expect(toRetryDelayMs(policy, attempt, { retryAfterMs })).toBe(expected);
  });

  it('is the wait of the policy if there is neither', () => {
    expect([1, 2, 3, 4, 5].map((attempt) => toRetryDelayMs(policy, attempt))).toEqual([
      2_000,
      4_000,
      8_000,
      16_000,
      null,
    ]);
  });

  // Seen to fail when jitter could shorten the wait (`random() - 0.5`).
  it('is lengthened by jitter, at most by its share of the wait, from a source that can be seeded', () => {
    const draw = (seed: number) => {
      const random = createRandom(seed);
      return [1, 2, 3, 4].map((attempt) => toRetryDelayMs(policy, attempt, { jitter: 0.5, random }));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const at = (share: number) => toRetryDelayMs(policy, 2, { jitter: 0.5, random: () => share });
    expect([at(0), at(0.5), at(1)]).toEqual([4_000, 5_000, 6_000]);
  });

  it('lies in [wait, wait · (1 + jitter)] to the millisecond, and within the cap', () => {
    fc.assert(
      fc.property(anyPolicy, anyAttempt, anyRandom, (any, attempt, share) => {
        const [wait, delay] = [
          toWaitMs(any, attempt),
          toRetryDelayMs(any, attempt, { jitter: any.jitter, random: () => share }),
        ];
        if (wait === null) {
          expect(delay).toBeNull();
          return;
        }
        expect(delay).toBeGreaterThanOrEqual(Math.floor(wait));
        expect(delay).toBeLessThanOrEqual(Math.ceil(wait * (1 + any.jitter)));
        expect(delay).toBeLessThanOrEqual(any.maximumIntervalMs);
      }),
    );
  });

  // Seen to fail when the cap was applied before the jitter, and when a Retry-After replaced the wait.
  it("is a whole number from the policy's wait to the cap, for any Retry-After", () => {
    const anyRetryAfter = fc.oneof(fc.nat(), fc.constantFrom(0, Number.MAX_VALUE, Number.POSITIVE_INFINITY));
    fc.assert(
      fc.property(anyPolicy, anyAttempt, anyRetryAfter, anyRandom, (any, attempt, retryAfterMs, share) => {
        const wait = toWaitMs(any, attempt);
        const delay = toRetryDelayMs(any, attempt, { retryAfterMs, jitter: any.jitter, random: () => share });
        if (wait === null) {
          expect(delay).toBeNull();
          return;
        }
        expect(delay).toSatisfy(Number.isInteger);
        const asked = Math.min(Math.max(wait, retryAfterMs), any.maximumIntervalMs);
        expect(delay).toBeGreaterThanOrEqual(Math.max(1, Math.floor(asked)));
        expect(delay).toBeLessThanOrEqual(any.maximumIntervalMs);
      }),
    );
  });

  it('stays within the cap if jitter would exceed it', () => {
    const random = () => 0.9;
    expect(toRetryDelayMs(policy, 1, { retryAfterMs: 299_000, jitter: 1, random })).toBe(300_000);
    expect(toRetryDelayMs(createPolicy({ maximumIntervalMs: 10_000 }), 3, { jitter: 1, random })).toBe(10_000);
  });

  // Seen to fail without the `Math.max(1, …)`.
  it('is never 0, which would end the retries', () => {
    const quick = { initialIntervalMs: 0.2, backoffCoefficient: 1, maximumIntervalMs: 0.4, maximumAttempts: 2 };
    expect(toRetryDelayMs(quick, 1)).toBe(1);
  });
});

describe("the attempt's own deadline", () => {
  it('is 10 % below start-to-close, by 50 ms at least and 500 ms at most', () => {
    expect([100, 400, 1_000, 4_000, 10_000, 300_000].map(toDeadlineMs)).toEqual([50, 350, 900, 3_600, 9_500, 299_500]);
  });

  // Seen to fail without the rounding: 1,001 ms gave a fraction, for which AbortSignal.timeout of Node 20 throws.
  it('is a whole number above 0 and below start-to-close for every timeout', () => {
    fc.assert(
      fc.property(fc.double({ min: 100, max: 86_400_000, noNaN: true }), (timeoutMs) => {
        const deadline = toDeadlineMs(timeoutMs);
        expect(deadline).toSatisfy(Number.isInteger);
        expect(deadline).toBeGreaterThan(0);
        expect(deadline).toBeLessThan(timeoutMs);
      }),
    );
  });
});

describe("Temporal's activity options of a policy", () => {
  it('have the documented values by default', () => {
    expect(toActivityOptions(createPolicy())).toEqual({
      startToCloseTimeout: 300_000,
      heartbeatTimeout: 10_000,
      retry: {
        initialInterval: 2_000,
        backoffCoefficient: 2,
        maximumInterval: 300_000,
        maximumAttempts: 5,
        nonRetryableErrorTypes: [...finalFailureTypes],
      },
    });
  });

  it.each([
    ['the initial interval', { initialIntervalMs: 3_000 }, { retry: { initialInterval: 3_000 } }],
    ['the backoff coefficient', { backoffCoefficient: 1.5 }, { retry: { backoffCoefficient: 1.5 } }],
    ['the maximum interval', { maximumIntervalMs: 60_000 }, { retry: { maximumInterval: 60_000 } }],
    ['the attempts', { maximumAttempts: 7 }, { retry: { maximumAttempts: 7 } }],
    ['start-to-close', { startToCloseTimeoutMs: 60_000 }, { startToCloseTimeout: 60_000 }],
    ['the heartbeat timeout', { heartbeatTimeoutMs: 4_000 }, { heartbeatTimeout: 4_000 }],
  ])('follow %s and change nothing else', (_, input, expected) => {
    const { retry, ...timeouts } = toActivityOptions(createPolicy());
    expect(toActivityOptions(createPolicy(input))).toEqual({
      ...timeouts,
      ...expected,
      retry: { ...retry, ...('retry' in expected ? expected.retry : {}) },
    });
  });

  it('add the types of NON_RETRYABLE_ERRORS to the final ones, each once', () => {
    const { retry } = toActivityOptions(
      createPolicy({
        nonRetryableErrorTypes: [
          'UpstreamTimeout',
          'InvalidResponse',
          'UpstreamTimeout',
          'TemporalTimeout:StartToClose',
        ],
      }),
    );
    expect(retry.nonRetryableErrorTypes).toEqual([
      ...finalFailureTypes,
      'UpstreamTimeout',
      'TemporalTimeout:StartToClose',
    ]);
  });

  it('have no jitter, which Temporal does not support', () => {
    expect(toActivityOptions(createPolicy({ jitter: 1 }))).toEqual(toActivityOptions(createPolicy()));
  });

  it('have a heartbeat timeout of a third of start-to-close if that is less than 10 s', () => {
    expect(toActivityOptions(createPolicy({ startToCloseTimeoutMs: 6_000 })).heartbeatTimeout).toBe(2_000);
    expect(toActivityOptions(createPolicy({ startToCloseTimeoutMs: 60_000 })).heartbeatTimeout).toBe(10_000);
  });

  // Seen to fail with a method among the options.
  it('are plain data: a structured clone and a round trip through JSON change nothing', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const options = toActivityOptions(policy);
        expect(structuredClone(options)).toStrictEqual(options);
        expect(JSON.parse(JSON.stringify(options))).toStrictEqual(options);
      }),
    );
  });

  it('list every final failure type and no retryable one', () => {
    const { nonRetryableErrorTypes } = toActivityOptions(createPolicy()).retry;
    expect(nonRetryableErrorTypes).toEqual(expect.arrayContaining([...finalFailureTypes]));
    for (const type of [...retryableFailureTypes, ...timeoutFailureTypes])
      expect(nonRetryableErrorTypes).not.toContain(type);
  });
});

describe('the policy schema', () => {
  const faultsOf = (input: unknown) =>
    policySchema.safeParse(input).error?.issues.map(({ path }) => path.join('.')) ?? [];

  // Seen to fail without the rule about the two intervals, and with coefficients from 0.
  it.each([
    ['a coefficient below 1', { backoffCoefficient: 0.99 }, 'backoffCoefficient'],
    ['a cap below the initial interval', { initialIntervalMs: 2_000, maximumIntervalMs: 1_999 }, 'maximumIntervalMs'],
    ['an initial interval of 0', { initialIntervalMs: 0 }, 'initialIntervalMs'],
    ['a negative interval', { initialIntervalMs: -1 }, 'initialIntervalMs'],
    ['no attempt', { maximumAttempts: 0 }, 'maximumAttempts'],
    ['half an attempt', { maximumAttempts: 1.5 }, 'maximumAttempts'],
    ['a billion attempts', { maximumAttempts: 1e9 }, 'maximumAttempts'],
    ['a start-to-close of 0', { startToCloseTimeoutMs: 0 }, 'startToCloseTimeoutMs'],
    ['a heartbeat timeout under a second', { heartbeatTimeoutMs: 999 }, 'heartbeatTimeoutMs'],
    [
      'a heartbeat timeout that is start-to-close',
      { startToCloseTimeoutMs: 5_000, heartbeatTimeoutMs: 5_000 },
      'heartbeatTimeoutMs',
    ],
    ['jitter over 1', { jitter: 1.01 }, 'jitter'],
    ['negative jitter', { jitter: -0.01 }, 'jitter'],
    ['an unknown failure type', { nonRetryableErrorTypes: ['TypeError'] }, 'nonRetryableErrorTypes.0'],
  ])('refuses %s', (_, input, path) => {
    expect(faultsOf(input)).toEqual([path]);
  });

  it('refuses NaN, ∞ and text in every number', () => {
    const numbers = Object.keys(createPolicy()).filter((field) => field !== 'nonRetryableErrorTypes');
    expect(numbers).toHaveLength(7);
    for (const field of numbers)
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '5', null])
        expect(faultsOf({ [field]: value })).toEqual([field]);
  });

  it('refuses an unknown field, so that a misspelt name does not silently give the default', () => {
    expect(policySchema.safeParse({ maxAttempts: 3 }).success).toBe(false);
  });

  // Seen to fail without `when`: NaN in another field then disables the rules about two fields.
  it('reports all faults at once, including rules about two fields', () => {
    const input = {
      initialIntervalMs: 5,
      maximumIntervalMs: 4,
      startToCloseTimeoutMs: 5_000,
      heartbeatTimeoutMs: 6_000,
      jitter: Number.NaN,
    };
    expect(faultsOf(input).sort()).toEqual(['heartbeatTimeoutMs', 'jitter', 'maximumIntervalMs']);
  });

  it('accepts the limits: equal intervals, one attempt, a heartbeat timeout just below start-to-close', () => {
    expect(faultsOf({ initialIntervalMs: 1, maximumIntervalMs: 1, backoffCoefficient: 1, maximumAttempts: 1 })).toEqual(
      [],
    );
    expect(faultsOf({ startToCloseTimeoutMs: 5_000, heartbeatTimeoutMs: 4_999 })).toEqual([]);
    expect(faultsOf({ maximumAttempts: 10_000, jitter: 1, backoffCoefficient: 1_000 })).toEqual([]);
  });
});
