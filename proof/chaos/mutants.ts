import type { Mutation } from '../mutate.ts';

/** A build that breaks one promise of Holdfast. At least one invariant of `caughtBy` must report a violation. */
export type Mutant = { name: string; mutations: Mutation[]; inMemory?: boolean; caughtBy: string[] };

const mutant = (name: string, caughtBy: string[], ...mutations: Mutation[]): Mutant => ({ name, caughtBy, mutations });

export const mutants: Mutant[] = [
  mutant('a random id instead of one from the key', ['one-task-per-key', 'no-phantom'], {
    file: 'src/api/views/task-id.ts',
    from: "idempotencyKey === undefined ? randomUUID() : sha256(idempotencyKey).toString('hex')",
    to: 'randomUUID()',
  }),
  mutant('the conflict policy “use existing”', ['one-task-per-key'], {
    file: 'src/temporal/engines/start-workflow.ts',
    from: "workflowIdConflictPolicy: 'FAIL'",
    to: "workflowIdConflictPolicy: 'USE_EXISTING'",
  }),
  mutant('an answer before the start', ['accepted-never-lost', 'one-task-per-key', 'read-your-write'], {
    file: 'src/temporal/start-once.ts',
    from: 'const first = await admission.start(caller, id, itemCount, startOrReadFirst);',
    to: `const first: T | undefined = undefined;
    void admission.start(caller, id, itemCount, startOrReadFirst).catch(() => {});`,
  }),
  { ...mutant('a server that keeps nothing on disk', ['accepted-never-lost', 'read-your-write']), inMemory: true },
  mutant('no heartbeat timeout', ['recovery'], {
    file: 'src/policy.ts',
    from: '    heartbeatTimeout: policy.heartbeatTimeoutMs,\n',
    to: '',
  }),
  mutant('a status cached in each API', ['forward-only', 'accepted-never-lost', 'same-end-in-temporal'], {
    file: 'src/api/views/task-view.ts',
    from: 'const readTask = async (id: string, name: TaskName): Promise<Task> => (await readWithRecord(id, name)).task;',
    to: `const cache = new Map<string, Task>();
  const readTask = async (id: string, name: TaskName): Promise<Task> => {
    const task = cache.get(id) ?? (await readWithRecord(id, name)).task;
    cache.set(id, task);
    return task;
  };`,
  }),
  mutant('results swapped between tasks', ['own-result'], {
    file: 'src/activities/fetch-joke.ts',
    from: '    return { id, joke: value, url: link };',
    to: `    const own = { id, joke: value, url: link };
    const shared = globalThis as { before?: typeof own };
    const given = shared.before ?? own;
    shared.before = own;
    return given;`,
  }),
  mutant('Retry-After ignored', ['gaps-follow-policy'], {
    file: 'src/activities/failure.ts',
    from: "    retryAfterMs: toRetryAfterMs(headers['retry-after']?.toString(), toTimeMs(headers.date?.toString())),\n",
    to: '    retryAfterMs: toRetryAfterMs(undefined),\n',
  }),
  mutant('a cancellation that is confirmed and ignored', ['cancel-stops-calls'], {
    file: 'src/workflows/run-task.ts',
    from: `const output = await activities[workflowInfo().workflowType as N](input, attempt);
    throwIfCancelled();`,
    to: `const output = await CancellationScope.nonCancellable(() =>
      activities[workflowInfo().workflowType as N](input, attempt),
    );
    if (output === undefined) throwIfCancelled();`,
  }),
  mutant('one attempt too many', ['attempts-bounded', 'failed-for-a-reason'], {
    file: 'src/policy.ts',
    from: '      maximumAttempts: policy.maximumAttempts,\n',
    to: '      maximumAttempts: policy.maximumAttempts + 1,\n',
  }),
  mutant('each call sent twice', ['attempts-bounded'], {
    file: 'src/activities/fetch-joke.ts',
    from: '    const { id, value, url: link } = await withHeartbeat(() => getJson(url, upstreamJoke, options));',
    to: `    await withHeartbeat(() => getJson(url, upstreamJoke, options));
    const { id, value, url: link } = await withHeartbeat(() => getJson(url, upstreamJoke, options));`,
  }),
  mutant('waits that do not grow', ['gaps-follow-policy'], {
    file: 'src/policy.ts',
    from: '      backoffCoefficient: policy.backoffCoefficient,\n',
    to: '      backoffCoefficient: 1,\n',
  }),
  mutant('retries after a final answer', ['extra-calls-explained', 'failed-for-a-reason'], {
    file: 'src/policy.ts',
    from: 'nonRetryableErrorTypes: [...new Set([...finalFailureTypes, ...policy.nonRetryableErrorTypes])]',
    to: 'nonRetryableErrorTypes: policy.nonRetryableErrorTypes',
  }),
  mutant('a slice that forgets an outcome, so its item is made again', ['attempts-bounded', 'extra-calls-explained'], {
    file: 'src/activities/slices/calls.ts',
    from: 'toResult: () => toReport([...outcomes.values()]),',
    to: 'toResult: () => toReport([...outcomes.values()].slice(outcomes.size > 1 ? 1 : 0)),',
  }),
  mutant('a result of a slice that does not count', ['batch-counts', 'ended-in-time'], {
    file: 'src/workflows/run-chunk-in-slices.ts',
    from: 'slices.report(slice, result).forEach(settle);',
    to: 'slices.report(slice, result).slice(1).forEach(settle);',
  }),
  mutant('attempts after a slice that count from 1', ['attempts-bounded'], {
    file: 'src/workflows/run-chunk-in-slices.ts',
    from: 'attemptsBefore: 1 }',
    to: 'attemptsBefore: 0 }',
  }),
  mutant('a signal of a slice that counts twice', ['batch-counts', 'ended-in-time'], {
    file: 'src/workflows/run-chunk-in-slices.ts',
    from: 'slices.report(slice, report, report.running).forEach(settle),',
    to: 'slices.report(slice, report, report.running).forEach((outcome) => [outcome, outcome].forEach(settle)),',
  }),
  mutant('another idempotency key for the upstream in each attempt', ['no-phantom'], {
    file: 'src/activities/get-json.ts',
    from: "'idempotency-key': toJobId(),",
    to: "'idempotency-key': [toJobId(), activityInfo().attempt].join('.'),",
  }),
];
