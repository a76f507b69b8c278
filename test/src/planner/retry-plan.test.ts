import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overridePolicy, type PolicyOverrides } from '../../../src/planner/override-policy.ts';
import { toRetryPlan } from '../../../src/planner/retry-plan.ts';
import { policySchema, toRetryDelayMs } from '../../../src/policy.ts';
import { type PolicyParameterName, policyParameterNames, policyParameters } from '../../../src/policy-parameters.ts';

type PolicyInput = Parameters<typeof policySchema.parse>[0];
const createPolicy = (input: PolicyInput = {}) => policySchema.parse(input);
const planOf = (input: PolicyInput = {}, failures?: number) => toRetryPlan(createPolicy(input), { failures });

const anyPolicy = fc
  .record({
    initialIntervalMs: fc.integer({ min: 1, max: 60_000 }),
    backoffCoefficient: fc.integer({ min: 10, max: 40 }).map((tenths) => tenths / 10),
    addedMs: fc.integer({ min: 0, max: 600_000 }),
    maximumAttempts: fc.integer({ min: 1, max: 40 }),
    jitter: fc.constantFrom(0, 0.25, 1),
    startToCloseTimeoutMs: fc.integer({ min: 100, max: 3_600_000 }),
  })
  .map(({ addedMs, ...rest }) => createPolicy({ ...rest, maximumIntervalMs: rest.initialIntervalMs + addedMs }));

describe('the timeline of a failing task', () => {
  // Seen to fail when policy.ts multiplied by the attempt instead of raising to its power, and with `>` for `>=`.
  it('has five attempts after 0, 2, 6, 14 and 30 s by default, and then the task has failed', () => {
    const { attempts, attemptsNotListed, end } = planOf();
    expect(attempts.map(({ startSeconds, latestStartSeconds }) => [startSeconds, latestStartSeconds])).toEqual(
      [0, 2, 6, 14, 30].map((start) => [start, start]),
    );
    expect(attempts.map(({ waitSeconds }) => waitSeconds)).toEqual([2, 4, 8, 16, null]);
    expect(attempts.map(({ longestWaitSeconds }) => longestWaitSeconds)).toEqual([2, 4, 8, 16, null]);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(5).fill('fails'));
    expect(attemptsNotListed).toBe(0);
    expect(end).toEqual({
      status: 'failed',
      reason: 'attempts-exhausted',
      attempt: 5,
      afterSeconds: 30,
      latestAfterSeconds: 30,
    });
  });

  it('follows min(base · coefficient^(n−1), cap) for any policy', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const { initialIntervalMs, backoffCoefficient, maximumIntervalMs, maximumAttempts } = policy;
        const { attempts, survivedOutageSeconds } = toRetryPlan(policy);
        expect(attempts).toHaveLength(maximumAttempts);
        let startMs = 0;
        for (const { attempt, startSeconds, waitSeconds } of attempts) {
          expect(startSeconds).toBeCloseTo(startMs / 1_000, 5);
          const waitMs = Math.min(initialIntervalMs * backoffCoefficient ** (attempt - 1), maximumIntervalMs);
          if (attempt === maximumAttempts) expect(waitSeconds).toBeNull();
          else expect(waitSeconds).toBeCloseTo(waitMs / 1_000, 5);
          if (attempt < maximumAttempts) startMs += waitMs;
        }
        expect(survivedOutageSeconds).toBeCloseTo(startMs / 1_000, 5);
      }),
    );
  });

  it.each([
    [0, { status: 'completed', attempt: 1, afterSeconds: 0, latestAfterSeconds: 0 }],
    [1, { status: 'completed', attempt: 2, afterSeconds: 2, latestAfterSeconds: 2 }],
    [4, { status: 'completed', attempt: 5, afterSeconds: 30, latestAfterSeconds: 30 }],
    [5, { status: 'failed', reason: 'attempts-exhausted', attempt: 5, afterSeconds: 30, latestAfterSeconds: 30 }],
    [10_000, { status: 'failed', reason: 'attempts-exhausted', attempt: 5, afterSeconds: 30, latestAfterSeconds: 30 }],
  ])('ends correctly after %i failures', (failures, end) => {
    const plan = planOf({}, failures);
    expect(plan.end).toEqual(end);
    expect(plan.attempts).toHaveLength(end.attempt);
    const outcomes = plan.attempts.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'fails')).toHaveLength(Math.min(failures, 5));
    expect(plan.attempts.at(-1)).toMatchObject({ waitSeconds: null, longestWaitSeconds: null, capBinds: false });
  });

  it('says for each wait whether the cap applies: by default first after attempt 9', () => {
    const binding = (input: PolicyInput) =>
      planOf(input)
        .attempts.filter(({ capBinds }) => capBinds)
        .map(({ attempt }) => attempt);
    expect(binding({ maximumAttempts: 11 })).toEqual([9, 10]);
    expect(binding({ maximumAttempts: 9 })).toEqual([]);
    expect(binding({ maximumAttempts: 9, jitter: 0.2 })).toEqual([8]);
  });

  // Seen to fail when the longest wait had no jitter, and when it could exceed the cap.
  it('gives ranges with jitter that contain every possible wait and start', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 40 }), (policy, draws) => {
        fc.pre(policy.jitter > 0);
        let startMs = 0;
        for (const step of toRetryPlan(policy).attempts) {
          expect(startMs / 1_000).toBeGreaterThanOrEqual(step.startSeconds - 0.001 * step.attempt);
          expect(startMs / 1_000).toBeLessThanOrEqual(step.latestStartSeconds + 0.001 * step.attempt);
          const random = () => (draws[step.attempt - 1] ?? 0) / 1_000;
          const waitMs = toRetryDelayMs(policy, step.attempt, { jitter: policy.jitter, random });
          if (waitMs === null) return;
          expect(waitMs / 1_000).toBeGreaterThanOrEqual((step.waitSeconds ?? Number.NaN) - 0.001);
          expect(waitMs / 1_000).toBeLessThanOrEqual((step.longestWaitSeconds ?? Number.NaN) + 0.001);
          expect(step.longestWaitSeconds).toBeLessThanOrEqual(policy.maximumIntervalMs / 1_000);
          startMs += waitMs;
        }
      }),
      { numRuns: 40 },
    );
    const { attempts, end } = planOf({ jitter: 0.5, maximumIntervalMs: 10_000 });
    expect(attempts.map(({ longestWaitSeconds }) => longestWaitSeconds)).toEqual([3, 6, 10, 10, null]);
    expect(end).toMatchObject({ afterSeconds: 24, latestAfterSeconds: 29 });
  });
});

describe('the totals of a plan', () => {
  it('are by default: outages up to 30 s, 1,530 s at worst, 12 to 26 s until a dead worker’s attempt is retried', () => {
    const { survivedOutageSeconds, worstWallTimeSeconds, deadWorkerRetry } = planOf();
    expect({ survivedOutageSeconds, worstWallTimeSeconds, deadWorkerRetry }).toEqual({
      survivedOutageSeconds: 30,
      worstWallTimeSeconds: 5 * 300 + 30,
      deadWorkerRetry: { firstAttemptSeconds: 12, worstSeconds: 26 },
    });
  });

  it('do not depend on the number of failures', () => {
    const { attempts: _, end: __, ...sums } = planOf();
    expect(planOf({}, 1)).toMatchObject(sums);
  });

  it('use the longest waits for the worst wall time', () => {
    expect(planOf({ jitter: 1 }).worstWallTimeSeconds).toBe(5 * 300 + 60);
  });

  it('have no retry if there is a single attempt', () => {
    expect(planOf({ maximumAttempts: 1 })).toMatchObject({
      survivedOutageSeconds: 0,
      worstWallTimeSeconds: 300,
      deadWorkerRetry: null,
      herd: { totalCalls: 100, peakRetriesPerSecond: { policy: 0, withoutJitter: 0, withFullJitter: 0 } },
    });
  });

  it('are exact for 10,000 attempts, although only the first 100 are listed', () => {
    const plan = planOf({ maximumAttempts: 10_000, jitter: 0.1 });
    expect(plan.survivedOutageSeconds).toBe(510 + 9_991 * 300);
    expect(plan.attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(plan.attempts.at(-1)?.waitSeconds).toBe(300);
    expect(plan.attemptsNotListed).toBe(9_900);
    expect(plan.herd).toMatchObject({ totalCalls: 1_000_000, attemptsPlayed: 100 });
    expect(JSON.stringify(plan).length).toBeLessThan(32_000);
    expect(planOf({ maximumAttempts: 10_000 }, 150)).toMatchObject({
      attemptsNotListed: 51,
      end: { status: 'completed', attempt: 151 },
    });
  });
});

describe('a herd of 100 tasks that fail together', () => {
  const peaks = (input: PolicyInput) => planOf(input).herd.peakRetriesPerSecond;

  it('makes 500 calls by default, and all retries come at once without jitter', () => {
    const { tasks, totalCalls, peakRetriesPerSecond } = planOf().herd;
    expect({ tasks, totalCalls }).toEqual({ tasks: 100, totalCalls: 500 });
    expect(peakRetriesPerSecond).toMatchObject({ policy: 100, withoutJitter: 100 });
    // The first retries come within [2, 4] s, about half of them in the busiest second.
    expect(peakRetriesPerSecond.withFullJitter).toBeGreaterThan(49);
    expect(peakRetriesPerSecond.withFullJitter).toBeLessThan(75);
  });

  // Seen to fail when every peak was computed without jitter.
  it('spreads more with more jitter', () => {
    const half = peaks({ initialIntervalMs: 10_000, jitter: 0.5 });
    expect(half.policy).toBeLessThan(half.withoutJitter);
    expect(half.policy).toBeGreaterThan(half.withFullJitter);
    expect(peaks({ jitter: 1 })).toMatchObject({ policy: peaks({}).withFullJitter });
  });

  // Seen to fail when the second included both its ends.
  it.each([
    [100, 300],
    [400, 300],
    [500, 200],
    [1_000, 100],
  ])(
    'with waits of %i ms makes %i retries in its busiest second, which excludes its end',
    (initialIntervalMs, peak) => {
      const policy = { initialIntervalMs, backoffCoefficient: 1, maximumAttempts: 4 };
      expect(peaks(policy).withoutJitter).toBe(peak);
    },
  );

  it('is the same in every plan', () => {
    expect(planOf({ jitter: 0.3 })).toEqual(planOf({ jitter: 0.3 }));
  });
});

describe('an override', () => {
  const override = (overrides: PolicyOverrides, input: PolicyInput = {}) =>
    overridePolicy(createPolicy(input), overrides);
  const policyOf = (overrides: PolicyOverrides, input: PolicyInput = {}) => {
    const outcome = override(overrides, input);
    if ('faults' in outcome) throw new Error(JSON.stringify(outcome.faults));
    return toRetryPlan(outcome.policy).policy;
  };

  // Seen to fail when overrides were ignored.
  it.each<[PolicyParameterName, number]>([
    ['maxAttempts', 8],
    ['baseDelay', 1.5],
    ['backoffCoefficient', 1.7],
    ['maxDelay', 60],
    ['jitter', 0.4],
    ['jobTimeout', 200],
    ['heartbeatTimeout', 20],
  ])('of %s replaces only that number, in seconds if it is a duration', (name, value) => {
    const input = { nonRetryableErrorTypes: ['UpstreamTimeout' as const] };
    expect(policyOf({ [name]: value }, input)).toEqual({ ...policyOf({}, input), [name]: value });
  });

  it('of nothing changes nothing', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        expect(overridePolicy(policy, {})).toEqual({ policy });
      }),
    );
  });

  it('of the job timeout changes a default heartbeat timeout, but not an explicit one', () => {
    expect(policyOf({ jobTimeout: 15 })).toMatchObject({ heartbeatTimeout: 5 });
    expect(policyOf({ jobTimeout: 600 }, { startToCloseTimeoutMs: 15_000 })).toMatchObject({ heartbeatTimeout: 10 });
    expect(policyOf({ jobTimeout: 600 }, { heartbeatTimeoutMs: 60_000 })).toMatchObject({ heartbeatTimeout: 60 });
  });

  it.each<[PolicyOverrides, PolicyInput, PolicyParameterName, string]>([
    [{ maxDelay: 1 }, {}, 'maxDelay', 'must not be below the initial interval (baseDelay)'],
    [
      { baseDelay: 400 },
      {},
      'baseDelay',
      'does not fit maxDelay: maxDelay must not be below the initial interval (baseDelay)',
    ],
    [{ heartbeatTimeout: 300 }, {}, 'heartbeatTimeout', 'must be below the start-to-close timeout (jobTimeout)'],
    [
      { jobTimeout: 50 },
      { heartbeatTimeoutMs: 60_000 },
      'jobTimeout',
      'does not fit heartbeatTimeout: heartbeatTimeout must be below the start-to-close timeout (jobTimeout)',
    ],
    [{ heartbeatTimeout: 0.5 }, {}, 'heartbeatTimeout', 'must be a number from 1 to 86400 seconds'],
    [{ maxAttempts: 1.5 }, {}, 'maxAttempts', 'must be a whole number'],
    [{ jitter: Number.NaN }, {}, 'jitter', 'must be a number from 0 to 1'],
  ])('%j that is impossible is reported for a parameter that was given', (overrides, input, parameter, message) => {
    expect(override(overrides, input)).toEqual({ faults: [{ parameter, message }] });
  });

  it('reports all faults at once, with parameter names in the form the caller chooses', () => {
    const shout = (name: PolicyParameterName) => name.toUpperCase();
    expect(overridePolicy(createPolicy(), { maxDelay: 1, jitter: 2 }, shout)).toEqual({
      faults: expect.arrayContaining([
        { parameter: 'jitter', message: 'must be a number from 0 to 1' },
        { parameter: 'maxDelay', message: 'must not be below the initial interval (BASEDELAY)' },
      ]),
    });
  });

  const others: Record<string, PolicyOverrides> = { baseDelay: { maxDelay: 86_400 }, maxDelay: { baseDelay: 0.001 } };
  it.each(policyParameterNames)('of %s has the bounds of the parameter table', (name) => {
    const { minimum, maximum } = policyParameters[name];
    const isAccepted = (value: number) =>
      'policy' in override({ jobTimeout: 86_400, heartbeatTimeout: 1, ...others[name], [name]: value });
    // The shortest job timeout is accepted only with a default heartbeat timeout, which is a third of it.
    expect(name === 'jobTimeout' ? 'policy' in override({ jobTimeout: minimum }) : isAccepted(minimum)).toBe(true);
    expect(isAccepted(name === 'heartbeatTimeout' ? maximum - 1 : maximum)).toBe(true);
    expect(isAccepted(minimum * 0.9 - (minimum === 0 ? 1 : 0))).toBe(false);
    expect(isAccepted(maximum + 1)).toBe(false);
  });
});
