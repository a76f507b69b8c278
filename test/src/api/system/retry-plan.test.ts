import { once } from 'node:events';
import type { Server } from 'node:http';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../../../src/api/app.ts';
import { type Config, type Environment, loadConfig } from '../../../../src/config/config.ts';
import { listen } from '../../../../src/listen.ts';
import { lintPolicy } from '../../../../src/planner/policy-lint.ts';
import { toRetryPlan } from '../../../../src/planner/retry-plan.ts';
import { type PolicyParameterName, policyParameterNames, policyParameters } from '../../../../src/policy-parameters.ts';
import { createApiMetrics } from '../../../../src/telemetry/metrics.ts';
import { createClient } from '../../../../src/temporal/connection.ts';
import { expectProblem, expectSafeHeaders } from '../../../support/problem.ts';
import { toSecret } from '../../../support/signed-in.ts';

/** Starts a real API with its own policy. Its Temporal is unreachable, because a plan does not need it. */
async function startApi(environment: Environment = {}) {
  const config = loadConfig({ TEMPORAL_ADDRESS: '127.0.0.1:9', ...environment });
  const client = createClient(config);
  const app = createApp({ client, config, log: pino({ level: 'silent' }), metrics: createApiMetrics() });
  const server: Server = (await listen(app, { ...config, host: '127.0.0.1', port: 0 })) as Server;
  const { port } = server.address() as { port: number };
  return {
    config,
    async get(path: string, headers: Record<string, string> = {}) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await client.connection.close();
    },
  };
}

type Api = Awaited<ReturnType<typeof startApi>>;
type Parameter = { name: string; in: string; schema: Record<string, unknown>; description: string };

let api: Api;
let tuned: Api;
let schema: z.ZodType;
let parameters: Parameter[];

beforeAll(async () => {
  [api, tuned] = await Promise.all([
    startApi(),
    startApi({ MAX_ATTEMPTS: '3', BASE_DELAY: '1', HEARTBEAT_TIMEOUT: '60', NON_RETRYABLE_ERRORS: 'UpstreamTimeout' }),
  ]);
  const { body: document } = await api.get('/openapi.json');
  const { get } = document.paths['/retry-plan'];
  parameters = get.parameters;
  const documented = get.responses[200].content['application/json'].schema;
  const text = JSON.stringify({ ...documented, $defs: document.components.schemas });
  schema = z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
});
afterAll(() => Promise.all([api, tuned].map((each) => each?.stop())));

/** Returns the plan of a query, checked against the OpenAPI document. */
async function planOf(query = '', from = api) {
  const answer = await from.get(`/retry-plan${query}`);
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  expect(schema.safeParse(answer.body).error).toBeUndefined();
  expectSafeHeaders(answer);
  return answer.body;
}

const toDocument = ({ policy, shutdownGraceMs }: Pick<Config, 'policy' | 'shutdownGraceMs'>, failures?: number) => ({
  ...toRetryPlan(policy, { failures }),
  warnings: lintPolicy({ policy, shutdownGraceMs }),
});

test("without a query, the plan follows the server's own policy and has its warnings", async () => {
  const plan = await planOf();
  expect(plan.attempts.map(({ startSeconds }: { startSeconds: number }) => startSeconds)).toEqual([0, 2, 6, 14, 30]);
  expect(plan).toEqual(toDocument(api.config));
  expect(plan.warnings.map(({ code }: { code: string }) => code)).toContain('cap-unreachable');
  expect(await planOf('', tuned)).toEqual(toDocument(tuned.config));
  expect(await planOf('', tuned)).toMatchObject({
    policy: { maxAttempts: 3, baseDelay: 1, heartbeatTimeout: 60, nonRetryableErrors: ['UpstreamTimeout'] },
    survivedOutageSeconds: 3,
  });
});

// Seen to fail when overrides were ignored.
test("every parameter replaces the server's value of the variable with the same name", async () => {
  const variables: Environment = {
    MAX_ATTEMPTS: '12',
    BASE_DELAY: '0.5',
    BACKOFF_COEFFICIENT: '1.5',
    MAX_DELAY: '20',
    JITTER: '0.25',
    JOB_TIMEOUT: '120',
    HEARTBEAT_TIMEOUT: '15',
  };
  const toName = (name: string) => name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  expect(Object.keys(variables).map(toName)).toEqual(policyParameterNames);
  for (const [name, value = ''] of Object.entries(variables)) {
    expect(await planOf(`?${toName(name)}=${value}`)).toEqual(toDocument(loadConfig({ [name]: value })));
  }
  const query = Object.entries(variables).map(([name, value]) => `${toName(name)}=${value}`);
  expect(await planOf(`?${query.join('&')}&failures=3`)).toEqual(toDocument(loadConfig(variables), 3));
  expect(await planOf('?maxAttempts=4', tuned)).toMatchObject({ policy: { maxAttempts: 4, baseDelay: 1 } });
});

test('with failures=n, the task succeeds with attempt n + 1 if that is within the maximum', async () => {
  expect((await planOf('?failures=2')).end).toMatchObject({ status: 'completed', attempt: 3, afterSeconds: 6 });
  expect((await planOf('?failures=0')).end).toMatchObject({ status: 'completed', attempt: 1, afterSeconds: 0 });
  expect((await planOf('?failures=5')).end).toMatchObject({ status: 'failed', reason: 'attempts-exhausted' });
  expect((await planOf('?failures=10000')).end).toMatchObject({ status: 'failed', attempt: 5 });
});

test('a default heartbeat timeout follows the job timeout, and an explicit one stays', async () => {
  expect((await planOf('?jobTimeout=15')).policy).toMatchObject({ jobTimeout: 15, heartbeatTimeout: 5 });
  expect((await planOf('?jobTimeout=900', tuned)).policy).toMatchObject({ jobTimeout: 900, heartbeatTimeout: 60 });
});

test('the answer for 10,000 attempts is small', async () => {
  const { attempts, attemptsNotListed } = await planOf('?maxAttempts=10000&jitter=1');
  expect(attempts).toHaveLength(100);
  expect(attemptsNotListed).toBe(9_900);
});

const seconds = 'must be a number from 0.001 to 86400 seconds';
const failures = 'must be a whole number from 0 to 10000';
describe('an invalid query is a 400 that points to the parameter', () => {
  // Seen to fail when the faults named the fields of the policy.
  test.each<[string, Record<string, string>]>([
    ['colour=red', { colour: 'is not known here' }],
    ['MAX_ATTEMPTS=3', { MAX_ATTEMPTS: 'is not known here' }],
    ['nonRetryableErrors=UpstreamTimeout', { nonRetryableErrors: 'is not known here' }],
    ['maxAttempts=3&maxAttempts=4', { maxAttempts: 'expected string' }],
    ['failures=1&failures=1', { failures: 'expected string' }],
    ['failures=-1', { failures }],
    ['failures=1.5', { failures }],
    ['failures=10001', { failures }],
    ['failures=', { failures }],
    ['maxAttempts=0', { maxAttempts: 'must be a number from 1 to 10000' }],
    ['maxAttempts=10001', { maxAttempts: 'must be a number from 1 to 10000' }],
    ['maxAttempts=2.5', { maxAttempts: 'must be a whole number' }],
    ['baseDelay=', { baseDelay: seconds }],
    ['baseDelay=0', { baseDelay: seconds }],
    ['baseDelay=1e1', { baseDelay: seconds }],
    ['baseDelay=Infinity', { baseDelay: seconds }],
    ['maxDelay=-3', { maxDelay: seconds }],
    ['maxDelay=86401', { maxDelay: seconds }],
    ['backoffCoefficient=0.5', { backoffCoefficient: 'must be a number from 1 to 1000' }],
    ['jitter=2', { jitter: 'must be a number from 0 to 1' }],
    ['jobTimeout=0.01', { jobTimeout: 'must be a number from 0.1 to 86400 seconds' }],
    ['heartbeatTimeout=0.5', { heartbeatTimeout: 'must be a number from 1 to 86400 seconds' }],
    ['heartbeatTimeout=300', { heartbeatTimeout: 'must be below the start-to-close timeout (jobTimeout)' }],
    ['maxDelay=1', { maxDelay: 'must not be below the initial interval (baseDelay)' }],
    ['baseDelay=301', { baseDelay: 'does not fit maxDelay: maxDelay must not be below' }],
    ['jitter=x&maxDelay=1', { jitter: 'must be a number from 0 to 1', maxDelay: 'must not be below' }],
  ])('%s', async (query, faults) => {
    const { errors, detail } = expectProblem(await api.get(`/retry-plan?${query}`), 'bad-request');
    expect(errors).toHaveLength(Object.keys(faults).length);
    for (const [name, fault] of Object.entries(faults)) {
      expect(errors).toContainEqual({ pointer: `#/${name}`, detail: expect.stringContaining(fault) });
      expect(detail).toContain(`#/${name}: `);
    }
  });
});

test('the document has every parameter, with the bounds that are enforced', async () => {
  expect(parameters.map(({ name }) => name)).toEqual(['failures', ...policyParameterNames]);
  const companions: Partial<Record<string, string>> = {
    baseDelay: '&maxDelay=86400',
    maxDelay: '&baseDelay=0.001',
    heartbeatTimeout: '&jobTimeout=86400',
  };
  for (const { name, in: place, schema, description } of parameters) {
    expect({ place, description }).toEqual({ place: 'query', description: expect.stringMatching(/\S/) });
    const { minimum = Number.NaN, maximum = Number.NaN } = schema as { minimum?: number; maximum?: number };
    const parameter = policyParameters[name as PolicyParameterName] ?? { minimum: 0, maximum: 10_000 };
    expect({ minimum, maximum }).toEqual({ minimum: parameter.minimum, maximum: parameter.maximum });
    const statusOf = async (value: number) =>
      (await api.get(`/retry-plan?${name}=${value}${companions[name] ?? ''}`)).status;
    const most = name === 'heartbeatTimeout' ? maximum - 1 : maximum;
    const statuses = await Promise.all([minimum, most, minimum * 0.9 - 0.001, maximum + 1].map(statusOf));
    expect({ name, statuses }).toEqual({ name, statuses: [200, 200, 400, 400] });
  }
});

test('the plan requires a key if API_KEYS is set', async () => {
  const secret = toSecret('planner');
  const guarded = await startApi({ API_KEYS: `planner:${secret}` });
  try {
    expectProblem(await guarded.get('/retry-plan'), 'unauthorized');
    expectProblem(await guarded.get('/retry-plan?colour=red'), 'unauthorized');
    const { status } = await guarded.get('/retry-plan', { authorization: `Bearer ${secret}` });
    expect(status).toBe(200);
  } finally {
    await guarded.stop();
  }
});
