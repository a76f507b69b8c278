import { randomUUID } from 'node:crypto';
import { ActivityCancellationDetails, ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Behaviour } from '../../../local/joke-api/behaviour.ts';
import { type JokeApi, startJokeApi } from '../../../local/joke-api/create-joke-api.ts';
import { createActivities } from '../../../src/activities/index.ts';
import { type AttemptRecord, observeAttempts } from '../../../src/activities/observe.ts';
import { policySchema, toActivityOptions } from '../../../src/policy.ts';
import type { TaskOutput } from '../../../src/tasks.ts';

let api: JokeApi;
beforeAll(async () => {
  api = await startJokeApi();
});
afterAll(() => api.close());

type Input = Partial<Parameters<typeof policySchema.parse>[0] & object>;

/** Creates an observed attempt of fetch-joke against the joke API. `lines` and `records` collect what it reports. */
function createAttempt({ attempt = 1, attemptsBefore = 0, jitter = 0, policy = {} as Input } = {}) {
  const lines: string[] = [];
  const records: AttemptRecord[] = [];
  const id = randomUUID();
  const environment = new MockActivityEnvironment(
    {
      attempt,
      activityType: 'fetch-joke',
      workflowExecution: { workflowId: id, runId: 'run' },
      startToCloseTimeoutMs: 30_000,
      retryPolicy: toActivityOptions(policySchema.parse(policy)).retry,
    },
    {
      logger: new DefaultLogger('INFO', ({ message }) => {
        if (message.startsWith('Job ')) lines.push(message.replace(id, '<id>'));
      }),
      interceptors: [observeAttempts((record) => records.push(record))],
    },
  );
  const fetchJoke = createActivities({ upstreamUrl: api.url })['fetch-joke'];
  return {
    lines,
    records,
    environment,
    requests: () => api.ledger({ taskKey: id }),
    run: (behaviour: Behaviour): Promise<TaskOutput<'fetch-joke'>> => {
      api.rules.add({ when: { taskKey: id }, then: [behaviour], repeat: true });
      return environment.run(fetchJoke, {}, { jitter, attemptsBefore });
    },
    /** Runs an attempt that throws this error. */
    throwing: (error: unknown) => environment.run(() => Promise.reject(error)),
  };
}

async function linesOfFailure(behaviour: Behaviour, options?: Parameters<typeof createAttempt>[0]) {
  const { run, lines } = createAttempt(options);
  await expect(run(behaviour)).rejects.toThrow();
  return lines;
}

describe('the log of an attempt', () => {
  it('says what begins, the attempt and the maximum', async () => {
    const { run, lines } = createAttempt({ attempt: 3 });
    await run({});
    expect(lines).toEqual(['Job <id>: Fetching joke (attempt 3/5)']);
  });

  // Seen to fail when the line had the wait of the following attempt.
  it('says what failed, and when the next attempt comes', async () => {
    expect(await linesOfFailure({ status: 503 })).toEqual([
      'Job <id>: Fetching joke (attempt 1/5)',
      'Job <id>: HTTP 503 on attempt 1, next in 2 s',
    ]);
    expect(await linesOfFailure({ status: 503 }, { attempt: 4 })).toEqual([
      'Job <id>: Fetching joke (attempt 4/5)',
      'Job <id>: HTTP 503 on attempt 4, next in 16 s',
    ]);
  });

  it('counts on from the attempts that the item made in a slice, and so does the header', async () => {
    const policy: Input = { initialIntervalMs: 4_000, maximumAttempts: 4 };
    const first = createAttempt({ attemptsBefore: 1, policy });
    await expect(first.run({ status: 503 })).rejects.toThrow();
    expect(first.lines).toEqual([
      'Job <id>: Fetching joke (attempt 2/5)',
      'Job <id>: HTTP 503 on attempt 2, next in 4 s',
    ]);
    expect(first.requests()).toMatchObject([{ attempt: 2 }]);
    const last = await linesOfFailure({ status: 503 }, { attempt: 4, attemptsBefore: 1, policy });
    expect(last.at(-1)).toBe('Job <id>: HTTP 503 on attempt 5, no attempt left');
  });

  it('says the wait with Retry-After or jitter', async () => {
    expect((await linesOfFailure({ status: 429, retryAfter: '7' })).at(-1)).toBe(
      'Job <id>: HTTP 429 on attempt 1, next in 7 s',
    );
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const lines = await linesOfFailure({ status: 503 }, { jitter: 0.5 }).finally(() => vi.restoreAllMocks());
    expect(lines.at(-1)).toBe('Job <id>: HTTP 503 on attempt 1, next in 2.5 s');
  });

  it('says when no attempt is left', async () => {
    expect((await linesOfFailure({ status: 503 }, { attempt: 5 })).at(-1)).toBe(
      'Job <id>: HTTP 503 on attempt 5, no attempt left',
    );
  });

  // Seen to fail without the check of nonRetryableErrorTypes.
  it('says that a failure is final, by its type or by the policy', async () => {
    expect((await linesOfFailure({ status: 404 })).at(-1)).toBe(
      'Job <id>: HTTP 404 on attempt 1, UpstreamRejected is final',
    );
    const policy: Input = { nonRetryableErrorTypes: ['UpstreamUnavailable'] };
    expect((await linesOfFailure({ status: 503 }, { policy })).at(-1)).toBe(
      'Job <id>: HTTP 503 on attempt 1, UpstreamUnavailable is final',
    );
  });

  it('says that the task was cancelled', async () => {
    const { run, environment, lines, requests } = createAttempt({ attempt: 2 });
    const result = run({ hang: 'headers' });
    await expect.poll(requests).toHaveLength(1);
    environment.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    await expect(result).rejects.toThrow('cancelled');
    expect(lines.at(-1)).toBe('Job <id>: cancelled on attempt 2');
  });
});

describe('one log line', () => {
  const controls = /[\p{Cc}\u2028\u2029]/u;

  it('never contains the joke, with or without markup, escapes and line breaks', async () => {
    const { run, lines } = createAttempt();
    const { joke } = await run({ body: 'joke-with-markup' });
    expect(joke).toMatch(controls);
    expect(lines).toEqual(['Job <id>: Fetching joke (attempt 1/5)']);
  });

  // Seen to fail while messages were logged unescaped.
  it('stays one line without escapes for an unexpected error too', async () => {
    const { throwing, lines } = createAttempt();
    await expect(throwing(new TypeError('one\r\ntwo\u001b[31m red\u2028three'))).rejects.toThrow('one');
    expect(lines).toEqual(['Job <id>: one two [31m red three on attempt 1, next in 2 s']);
    expect(lines[0]).not.toMatch(controls);
  });

  it('is also written for a thrown value that is not an error', async () => {
    const { throwing, lines, records } = createAttempt();
    await expect(throwing('just text')).rejects.toBe('just text');
    expect(lines).toEqual(['Job <id>: just text on attempt 1, next in 2 s']);
    expect(records).toMatchObject([{ outcome: 'failed', failureType: 'UnexpectedError' }]);
  });
});

describe('the record of an attempt', () => {
  const toRecord = ({ records }: { records: AttemptRecord[] }) =>
    records.map(({ task, outcome, failureType }) => ({ task, outcome, failureType }));

  // Seen to fail without the record of a failed attempt.
  it('has task, outcome and failure type, and comes once', async () => {
    const [good, bad] = [createAttempt(), createAttempt()];
    await good.run({});
    await expect(bad.run({ body: 'html' })).rejects.toThrow();
    expect(toRecord(good)).toEqual([{ task: 'fetch-joke', outcome: 'completed', failureType: '' }]);
    expect(toRecord(bad)).toEqual([{ task: 'fetch-joke', outcome: 'failed', failureType: 'InvalidResponse' }]);
  });

  it('distinguishes cancelled from failed', async () => {
    const attempt = createAttempt();
    const result = attempt.run({ hang: 'body' });
    await expect.poll(attempt.requests).toHaveLength(1);
    attempt.environment.cancel();
    await expect(result).rejects.toThrow();
    expect(toRecord(attempt)).toEqual([{ task: 'fetch-joke', outcome: 'cancelled', failureType: '' }]);
  });

  // Seen to fail when such an attempt counted as lost by the worker.
  it.each([
    ['PAUSED', { paused: true }, 'paused by an operator', { outcome: 'cancelled', failureType: 'ActivityPause' }],
    ['RESET', { reset: true }, 'reset by an operator', { outcome: 'cancelled', failureType: 'ActivityReset' }],
    ['RESET', { reset: true, paused: true }, 'reset by an operator', { failureType: 'ActivityReset' }],
    ['NOT_FOUND', { notFound: true }, 'given up by the server', { outcome: 'failed', failureType: 'AttemptLost' }],
  ] as const)('and the log say why the server ended it: %s, %j', async (reason, details, text, record) => {
    const attempt = createAttempt();
    const result = attempt.run({ hang: 'headers' });
    await expect.poll(attempt.requests).toHaveLength(1);
    attempt.environment.cancel(reason, new ActivityCancellationDetails(details));
    await expect(result).rejects.toThrow();
    expect(attempt.lines.at(-1)).toBe(`Job <id>: ${text} on attempt 1`);
    expect(attempt.records).toMatchObject([record]);
  });

  it('calls any other error unexpected', async () => {
    const attempt = createAttempt();
    await expect(attempt.throwing(new TypeError('oops'))).rejects.toThrow('oops');
    expect(toRecord(attempt)).toEqual([{ task: 'fetch-joke', outcome: 'failed', failureType: 'UnexpectedError' }]);
  });

  it('measures how long the attempt took, in seconds', async () => {
    const { run, records } = createAttempt();
    await run({ delayMs: 120 });
    expect(records[0]?.seconds).toBeGreaterThanOrEqual(0.1);
    expect(records[0]?.seconds).toBeLessThan(30);
  });

  it('changes neither result nor failure', async () => {
    const failure = ApplicationFailure.create({ type: 'UpstreamTimeout', message: 'late' });
    await expect(createAttempt().throwing(failure)).rejects.toBe(failure);
    await expect(createAttempt().environment.run((text: string) => Promise.resolve(text), 'same')).resolves.toBe(
      'same',
    );
  });
});
