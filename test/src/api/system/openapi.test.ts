import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApp } from '../../../../src/api/app.ts';
import type { Task } from '../../../../src/api/views/schemas.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { createApiMetrics } from '../../../../src/telemetry/metrics.ts';
import type { Document, Exchange } from '../../../support/contract.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { toSecret } from '../../../support/signed-in.ts';

const secret = toSecret('openapi');
let holdfast: Holdfast;
let document: Document;

beforeAll(async () => {
  holdfast = await startHoldfast({ API_KEYS: `openapi:${secret}`, BASE_DELAY: '1', MAX_ATTEMPTS: '2' });
  document = (await holdfast.call('GET', '/openapi.json')).body;
});
afterAll(() => holdfast.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

/** Makes a call and returns its answer. Throws for an answer that is not documented. */
async function tour(method: string, path: string, init: RequestInit = {}) {
  const answer = await holdfast.fetch(method, path, {
    ...init,
    headers: { authorization: `Bearer ${secret}`, ...(init.headers as Record<string, string>) },
  });
  const isJson = answer.headers.get('content-type')?.includes('json');
  return { ...answer, body: isJson ? JSON.parse(answer.text) : undefined };
}

// Seen to fail with a repeated operationId, and with an example that did not fit its schema.
test('a linter accepts the document as valid OpenAPI 3.1', async () => {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  expect(problems.map(({ ruleId, message, location }) => ({ ruleId, message, at: location[0]?.pointer }))).toEqual([]);
});

test('the document is OpenAPI 3.1 and describes itself', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info).toMatchObject({ title: 'Holdfast', version: expect.any(String) });
  for (const { operation } of operations()) {
    const { operationId, summary, description, tags } = operation;
    expect({ operationId, summary, description }).toEqual({
      operationId: expect.stringMatching(/^[a-z][A-Za-z]+$/),
      summary: expect.stringMatching(/^[A-Z].*[^.]$/),
      description: expect.stringMatching(/^[A-Z].*\.$/s),
    });
    expect(tags).toHaveLength(1);
    expect(document.tags).toContainEqual(expect.objectContaining({ name: tags[0] }));
    for (const { description } of Object.values(operation.responses)) expect(description).toMatch(/\S/);
  }
});

test('every reference in the document can be resolved', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(0);
  for (const [, name = ''] of references) expect(document.components.schemas).toHaveProperty(name);
});

test('only probes and documentation are open without a key', () => {
  expect(document.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(document.security).toEqual([{ bearer: [] }]);
  const open = operations().filter(({ operation }) => operation.security?.length === 0);
  const documentation = /^\/(openapi\.json|docs|problems(\/.+)?)$/;
  expect(open.map(({ path }) => path).filter((path) => !documentation.test(path))).toEqual(['/health', '/ready']);
  for (const { path, operation } of operations()) {
    expect({ path, has401: '401' in operation.responses }).toEqual({ path, has401: operation.security === undefined });
  }
});

// Seen to fail when `/metrics` was registered with `app.get`, which left it out of the document.
test('the document and the app have the same routes, except for the files of the docs page', () => {
  const config = loadConfig({});
  const app = createApp({ client: {} as Client, config, log: pino({ level: 'silent' }), metrics: createApiMetrics() });
  const registered = app.routes
    .filter(({ method }) => method !== 'ALL')
    .filter(({ path }) => !/^\/docs\/[\w-]+\.(js|css)$/.test(path))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const routes = new Set(registered);
  expect([...routes].sort()).toEqual(
    operations()
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  );
});

test('the document has the bounds that the API enforces', () => {
  const input = document.paths['/tasks/fetch-joke']?.post?.requestBody?.content['application/json']?.schema;
  const parser = holdfast.contract.toParser(input ?? {});
  expect(parser.safeParse({}).success).toBe(true);
  expect(parser.safeParse({ category: 'dev' }).success).toBe(true);
  expect(parser.safeParse({ category: 'x'.repeat(65) }).success).toBe(false);
  expect(parser.safeParse({ category: '' }).success).toBe(false);
  expect(parser.safeParse({ category: 'a\0b' }).success).toBe(false);
  expect(parser.safeParse({ status: 'completed' }).success).toBe(false);
});

// Answers that the document does not allow, each with a pattern for the error.
const undocumented: [string, Partial<Exchange>, RegExp][] = [
  ['a status', { status: 404 }, /404 is no answer of it/],
  ['a content type', { headers: toHeaders({ 'content-type': 'text/plain' }) }, /as text\/plain/],
  ['a missing header', { headers: toHeaders({}, ['x-request-id']) }, /lacks X-Request-Id/],
  ['an undocumented header', { headers: toHeaders({ 'x-powered-by': 'x' }) }, /has x-powered-by/],
  ['an undocumented field', { text: '{"status":"ok","version":"1"}' }, /version/],
  ['another value', { text: '{"status":"well"}' }, /status/],
  ['an undocumented method', { method: 'PUT' }, /is no answer of it/],
];
function toHeaders(more: Record<string, string>, without: string[] = []): Headers {
  const headers = new Headers({ 'content-type': 'application/json', 'x-request-id': 'one', ...more });
  for (const name of without) headers.delete(name);
  return headers;
}
test.each(undocumented)('the check of answers fails for %s that is not documented', (_, change, why) => {
  const sound = { method: 'GET', path: '/health', status: 200, headers: toHeaders({}), text: '{"status":"ok"}' };
  const { contract } = holdfast;
  expect(() => contract.check(sound)).not.toThrow();
  expect(() => contract.check({ ...sound, ...change })).toThrow(why);
});

// Seen to fail without 422 in the submission's responses, and when `attempt` was documented as a string.
test('every answer of a tour through the API is documented', async () => {
  const submit = (init?: RequestInit) => tour('POST', '/tasks/fetch-joke', init);
  const read = (id: string) => tour('GET', `/tasks/${id}`);
  const cancel = (id: string) => tour('POST', `/tasks/${id}/cancel`);
  const json = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const unknown = { headers: { authorization: 'none' } };
  const statuses: number[] = [];
  const visit = async (call: ReturnType<typeof tour>) => {
    const answer = await call;
    statuses.push(answer.status);
    return answer;
  };

  await visit(tour('GET', '/health'));
  await visit(tour('GET', '/ready'));
  await holdfast.startWorker();
  holdfast.jokes.rules.add({ when: { category: 'fails' }, then: [{ status: 503 }], repeat: true });
  holdfast.jokes.rules.add({ when: { category: 'waits' }, then: [{ status: 503, retryAfter: '60' }], repeat: true });
  await visit(tour('GET', '/ready'));
  await visit(tour('GET', '/openapi.json'));
  await visit(tour('GET', '/metrics'));

  const [joke, failing, waiting] = await Promise.all([
    visit(submit()),
    visit(submit(json({ category: 'fails' }))),
    visit(submit(json({ category: 'waits' }))),
  ]);
  const until = (id: string, holds: (task: Task) => boolean) =>
    eventually(async (): Promise<Task> => (await visit(read(id))).body, holds);
  expect(await until(joke.body.id, isFinished)).toMatchObject({ status: 'completed' });
  expect(await until(failing.body.id, isFinished)).toMatchObject({ status: 'failed' });
  await until(waiting.body.id, ({ status }) => status === 'retrying');
  await visit(cancel(waiting.body.id));
  expect(await until(waiting.body.id, isFinished)).toMatchObject({ status: 'cancelled' });
  await visit(cancel(joke.body.id));
  const waited = { headers: { prefer: 'wait=20' } };
  await visit(tour('POST', '/tasks/fetch-joke?wait=20'));
  await visit(tour('POST', `/tasks/${joke.body.id}/rerun?wait=20`, waited));
  for (const id of [joke.body.id, 'nope']) {
    await visit(tour('GET', `/tasks/${id}/events`));
    await visit(tour('GET', `/tasks/${id}/events`, unknown));
  }
  await visit(read('nope'));
  await visit(cancel('nope'));

  const rerun = (id: string, init?: RequestInit) => tour('POST', `/tasks/${id}/rerun`, init);
  const key = { headers: { 'idempotency-key': 'tour' } };
  await visit(rerun(joke.body.id, key));
  await visit(rerun(joke.body.id, key));
  await visit(rerun(failing.body.id, key));
  const { body: delayed } = await visit(tour('POST', '/tasks/fetch-joke?delay=600'));
  await visit(rerun(delayed.id));
  await visit(cancel(delayed.id));
  await visit(rerun('nope'));
  await visit(rerun('nope', unknown));
  await visit(submit({ headers: { 'idempotency-key': '' } }));

  const list = (query: string, init?: RequestInit) => visit(tour('GET', `/tasks${query}`, init));
  for (const query of ['', '?status=open', '?status=retrying', '?status=completed', '?limit=1', '?limit=0']) {
    await list(query);
  }
  await visit(submit(json({ category: 7 })));
  await visit(submit({ headers: { 'content-type': 'application/json' }, body: '{' }));
  await visit(submit({ headers: { 'content-type': 'text/plain' }, body: '{}' }));
  await visit(submit(json({ category: 'x'.repeat(70_000) })));
  await visit(submit({ headers: { origin: 'https://elsewhere.example' } }));
  await visit(tour('POST', '/tasks/nope/cancel', { headers: { 'sec-fetch-site': 'cross-site' } }));
  await visit(tour('POST', '/tasks/nope/cancel', { body: 'x'.repeat(70_000) }));
  await list(`?cursor=${'x'.repeat(9_000)}`);
  await list('', unknown);
  await visit(submit(unknown));
  await visit(tour('GET', '/tasks/nope', unknown));
  await visit(tour('POST', '/tasks/nope/cancel', unknown));
  await visit(tour('GET', '/metrics', unknown));
  for (const path of ['/health', '/ready', '/openapi.json', '/metrics', '/tasks', '/tasks/{id}']) {
    await visit(tour('GET', `${path.replace('{id}', 'nope')}?colour=red`));
  }

  const seen = [200, 202, 400, 401, 403, 404, 409, 413, 414, 415, 422, 503];
  expect([...new Set(statuses)].sort()).toEqual(seen);
});
