import type { Mutation } from '../../../proof/mutate.ts';

/**
 * Check number `check` of `stress:system` must fail and print `says`. A mutant that is judged by a rate or a time
 * runs alone, because a second one on the machine could change the verdict. A heap after garbage collection is the same
 * on a busy machine.
 */
type SystemMutant = Mutation & { name: string; check: number; says: RegExp; alone?: true };

export const systemMutants: SystemMutant[] = [
  {
    name: 'every fifth submission is refused',
    check: 1,
    file: 'src/api/tasks/start-task.ts',
    from: 'const id = createTaskId(owner, name, idempotencyKey, config.engine);',
    to: `const id = createTaskId(owner, name, idempotencyKey, config.engine);
      globalThis.seen = (globalThis.seen ?? 0) + 1;
      if (globalThis.seen % 5 === 0) throw new Error('refused');`,
    says: /10 of 50 submissions were not accepted/,
  },
  {
    name: 'each submission takes 3 s',
    check: 1,
    file: 'src/api/tasks/start-task.ts',
    from: 'const id = createTaskId(owner, name, idempotencyKey, config.engine);',
    to: `const id = createTaskId(owner, name, idempotencyKey, config.engine);
      await new Promise((resolve) => setTimeout(resolve, 3_000));`,
    says: /submissions\/sec, fewer than 40/,
    alone: true,
  },
  {
    name: 'every fifth accepted task is never started',
    check: 1,
    file: 'src/temporal/engines/start-workflow.ts',
    from: 'client.workflow.start(type, {',
    to: `(globalThis.seen = (globalThis.seen ?? 0) + 1) % 5 === 0 ? Promise.resolve() : client.workflow.start(type, {`,
    says: /FAILED: GET \/tasks\/\S+: 404/,
  },
  {
    name: 'tasks end with a joke that the upstream did not send',
    check: 1,
    file: 'src/activities/fetch-joke.ts',
    from: 'return { id, joke: value, url: link };',
    to: "return { id, joke: 'not the joke', url: link };",
    says: /was sent joke \S+ \(.+\), but has \S+ \(not the joke\)/,
  },
  {
    name: 'all tasks end with the joke of the first',
    check: 1,
    file: 'src/activities/fetch-joke.ts',
    from: 'return { id, joke: value, url: link };',
    to: 'return (globalThis.first ??= { id, joke: value, url: link });',
    says: /was sent joke \S+ \(.+\), but has \S+ \(.+\)/,
  },
  {
    name: 'every task ends with the joke of the one before',
    check: 2,
    file: 'src/activities/fetch-joke.ts',
    from: 'return { id, joke: value, url: link };',
    to: `const mine = { id, joke: value, url: link };
    const before = globalThis.before ?? mine;
    globalThis.before = mine;
    return before;`,
    says: /was sent joke \S+ \(.+\), but has \S+ \(.+\)/,
    alone: true,
  },
  {
    name: 'the wait is 2·n instead of 2^n',
    check: 2,
    file: 'src/policy.ts',
    from: 'backoff.backoffCoefficient ** (attempt - 1)',
    to: '(backoff.backoffCoefficient * (attempt - 1) + 1)',
    says: /waited \d+ ms after attempt \d; the policy says \d+ ms/,
    alone: true,
  },
  {
    name: 'the server gets another initial interval',
    check: 2,
    file: 'src/policy.ts',
    from: 'initialInterval: policy.initialIntervalMs,',
    to: 'initialInterval: policy.initialIntervalMs * 2,',
    // If a task fails four times, the check sees it first, because its wait exceeds even the allowed lateness.
    says: /The usual wait after attempt 1 was [23]\d{3} ms; the policy says 1000 ms|waited 1[67]\d{3} ms after attempt 4; the policy says 8000 ms/,
    alone: true,
  },
  {
    name: 'an unavailable upstream is final',
    check: 2,
    file: 'src/policy.ts',
    from: "export const finalFailureTypes = [\n  'UpstreamRejected',",
    to: "export const finalFailureTypes = [\n  'UpstreamUnavailable',",
    says: /ended failed \(non-retryable\) after 1 attempts/,
  },
  {
    name: 'a retrying task announces its next attempt 3 s late',
    check: 2,
    file: 'src/temporal/engines/activity-state.ts',
    from: 'new Date(nextAttemptMs)',
    to: 'new Date(nextAttemptMs + 3_000)',
    says: /read while retrying, said attempt \d\/5 \d+ ms after the last call; the policy says \d+ ms, and the attempt came after/,
    alone: true,
  },
  {
    name: 'the limit of slots is off',
    check: 3,
    file: 'src/create-workers.ts',
    from: 'const concurrency = config.workerConcurrency;',
    to: 'const concurrency = 100;',
    says: /attempts ran at once, more than the 10 slots/,
  },
  {
    name: 'half of the slots stay empty',
    check: 3,
    file: 'src/create-workers.ts',
    from: 'const concurrency = config.workerConcurrency;',
    to: 'const concurrency = config.workerConcurrency / 2;',
    says: /Only 5 attempts ran at once/,
  },
  {
    name: 'each attempt is slower than the one before',
    check: 4,
    file: 'src/activities/fetch-joke.ts',
    from: "logAttempt('Fetching joke', options);",
    to: `logAttempt('Fetching joke', options);
    globalThis.seen = (globalThis.seen ?? 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, globalThis.seen ** 2 / 200));`,
    says: /The p95 of the faster of the last two bursts is \d+ ms, [\d.]+ × that of the slower/,
    alone: true,
  },
  {
    name: 'JOB_TIMEOUT is ignored',
    check: 5,
    file: 'src/policy-parameters.ts',
    from: '.toUpperCase();',
    to: ".toUpperCase().replace('JOB_TIMEOUT', 'NO_TIMEOUT');",
    says: /Task \S+ has not ended in time: it is running on attempt 1/,
  },
  {
    name: 'every 50th status read opens a connection of its own',
    check: 6,
    file: 'src/temporal/engines/workflow-engine.ts',
    from: 'const description = await client.workflow.getHandle(id).describe();',
    to: `const { Client: Plain, Connection } = await import('@temporalio/client');
    globalThis.seen = (globalThis.seen ?? 0) + 1;
    const own = globalThis.seen % 50 === 0 && Connection.lazy({
      address: \`127.0.0.1:\${process.env.EMBEDDED_TEMPORAL_PORT}\`,
      channelArgs: { 'grpc.use_local_subchannel_pool': 1 },
    });
    const reader = own ? new Plain({ connection: own }) : client;
    const description = await reader.workflow.getHandle(id).describe();`,
    says: /The API held \d+ sockets to Temporal, more than 2/,
  },
  {
    name: 'the API keeps 12 kB of each task',
    check: 7,
    file: 'src/api/tasks/start-task.ts',
    from: 'const id = createTaskId(owner, name, idempotencyKey, config.engine);',
    to: `const id = createTaskId(owner, name, idempotencyKey, config.engine);
      (globalThis.leak ??= []).push(new Array(1_500).fill(Math.random()));`,
    says: /The heap of the API grows by 1\d{4} bytes with each task/,
  },
  {
    name: 'the worker keeps 12 kB of each task',
    check: 7,
    file: 'src/activities/fetch-joke.ts',
    from: "logAttempt('Fetching joke', options);",
    to: `logAttempt('Fetching joke', options);
    (globalThis.leak ??= []).push(new Array(1_500).fill(Math.random()));`,
    says: /The heap of the worker grows by 1\d{4} bytes with each task/,
  },
  {
    name: 'the worker keeps data of each task and dies every 200 tasks',
    check: 7,
    file: 'src/activities/fetch-joke.ts',
    from: "logAttempt('Fetching joke', options);",
    to: `logAttempt('Fetching joke', options);
    globalThis.seen = (globalThis.seen ?? 0) + 1;
    if (globalThis.seen === 200) process.kill(process.pid, 'SIGKILL');`,
    says: /The worker died and was started again during the measurement/,
  },
  {
    name: 'the activity swallows every error and makes a joke up',
    check: 8,
    file: 'src/activities/fetch-joke.ts',
    from: 'await withHeartbeat(() => getJson(url, upstreamJoke, options));',
    to: "await withHeartbeat(() => getJson(url, upstreamJoke, options)).catch(() => ({ id: '', value: '', url: '' }));",
    says: /ended completed on attempt 1 with 1 calls; expected/,
  },
  {
    name: 'Retry-After is ignored',
    check: 8,
    file: 'src/activities/failure.ts',
    from: "retryAfterMs: toRetryAfterMs(headers['retry-after']?.toString(), toTimeMs(headers.date?.toString())),",
    to: '',
    says: /HTTP 429, Retry-After 5 (once|always): the next call came \d+ ms later, not after 5000 ms/,
  },
  {
    name: 'a rate limit counts as unavailable',
    check: 8,
    file: 'src/activities/failure.ts',
    from: "if (status === 429) return 'UpstreamRateLimited';",
    to: "if (status === 429) return 'UpstreamUnavailable';",
    says: /HTTP 429 always: failed as UpstreamUnavailable, attempts-exhausted; expected UpstreamRateLimited/,
  },
];
