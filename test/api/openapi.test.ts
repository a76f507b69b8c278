import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../src/api/app.ts';
import type { Task } from '../../src/api/schemas.ts';
import { loadConfig } from '../../src/config.ts';
import { createApiMetrics } from '../../src/metrics.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../support/holdfast.ts';
import { toSecret } from '../support/signed-in.ts';

type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;
type Operation = {
  summary: string;
  security?: unknown[];
  requestBody?: { content: Content };
  responses: Record<
    string,
    { description: string; headers?: Record<string, { schema: Schema; required?: boolean }>; content: Content }
  >;
};
type Document = {
  openapi: string;
  info: { title: string; version: string };
  security: unknown[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, unknown> };
};

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

/** A documented schema as a parser; its references lead into the document's components. */
function toParser(schema: Schema) {
  const { schemas } = document.components;
  const text = JSON.stringify({ ...schema, $defs: schemas }).replaceAll('#/components/schemas/', '#/$defs/');
  return z.fromJSONSchema(JSON.parse(text));
}

/** Makes a call and gives its answer, if the document foresees it: this operation, status, content type and body. */
async function tour(method: string, path: string, template: string, init: RequestInit = {}) {
  const response = await fetch(`${holdfast.url}${path}`, {
    method,
    ...init,
    headers: { authorization: `Bearer ${secret}`, ...(init.headers as Record<string, string>) },
  });
  const place = `${method} ${template} ${response.status}`;
  const documented = document.paths[template]?.[method.toLowerCase()]?.responses[response.status];
  expect(documented, `${place} is documented`).toBeDefined();
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const schema = documented?.content[type]?.schema;
  expect(schema, `${place} as ${type} is documented`).toBeDefined();
  const text = await response.text();
  const body = type.endsWith('json') ? JSON.parse(text) : text;
  const { error } = toParser(schema as Schema).safeParse(body);
  expect(error, `${place}: ${text}`).toBeUndefined();
  for (const [name, { required }] of Object.entries(documented?.headers ?? {}))
    if (required) expect(response.headers.has(name), name).toBe(true);
  return { status: response.status, body };
}

test('the document is OpenAPI 3.1 and describes itself', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info).toMatchObject({ title: 'Holdfast', version: expect.any(String) });
  for (const { operation } of operations()) {
    expect(operation.summary).toMatch(/\S/);
    for (const { description } of Object.values(operation.responses)) expect(description).toMatch(/\S/);
  }
});

test('every reference in the document leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(0);
  for (const [, name = ''] of references) expect(document.components.schemas).toHaveProperty(name);
});

test('only health, readiness and the document itself are open to those without a key', () => {
  expect(document.components.securitySchemes).toEqual({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(document.security).toEqual([{ bearer: [] }]);
  const open = operations().filter(({ operation }) => operation.security?.length === 0);
  expect(open.map(({ path }) => path).sort()).toEqual(['/health', '/openapi.json', '/ready']);
  for (const { path, operation } of operations()) {
    expect({ path, has401: '401' in operation.responses }).toEqual({ path, has401: operation.security === undefined });
  }
});

// Seen to fail when `/metrics` was registered with `app.get`: in the app, but not in the document.
test('the document and the app have the same routes', () => {
  const config = loadConfig({});
  const app = createApp({ client: {} as Client, config, log: pino({ level: 'silent' }), metrics: createApiMetrics() });
  const registered = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  // Behind the tasks of the catalogue stands what says that there is no such task: no operation, always a 404.
  const catchAll = 'POST /tasks/{name}';
  expect(registered).toContain(catchAll);
  const routes = new Set(registered.filter((route) => route !== catchAll));
  expect([...routes].sort()).toEqual(
    operations()
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  );
});

test('the document carries the bounds that the API enforces', () => {
  const input = document.paths['/tasks/fetch-joke']?.post?.requestBody?.content['application/json']?.schema;
  const parser = toParser(input ?? {});
  expect(parser.safeParse({}).success).toBe(true);
  expect(parser.safeParse({ category: 'dev' }).success).toBe(true);
  expect(parser.safeParse({ category: 'x'.repeat(65) }).success).toBe(false);
  expect(parser.safeParse({ category: '' }).success).toBe(false);
  expect(parser.safeParse({ status: 'completed' }).success).toBe(false);
});

// Seen to fail when 422 was left out of the submission's responses, and when `attempt` was documented as a string.
test('every answer of a tour through the API is one that the document foresees', async () => {
  const submit = (init?: RequestInit) => tour('POST', '/tasks/fetch-joke', '/tasks/fetch-joke', init);
  const read = (id: string) => tour('GET', `/tasks/${id}`, '/tasks/{id}');
  const cancel = (id: string) => tour('POST', `/tasks/${id}/cancel`, '/tasks/{id}/cancel');
  const json = (body: unknown) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const nobody = { headers: { authorization: 'none' } };
  const statuses: number[] = [];
  const visit = async (call: ReturnType<typeof tour>) => {
    const answer = await call;
    statuses.push(answer.status);
    return answer;
  };

  await visit(tour('GET', '/health', '/health'));
  await visit(tour('GET', '/ready', '/ready'));
  await holdfast.startWorker();
  holdfast.jokes.rules.add({ when: { category: 'fails' }, then: [{ status: 503 }], repeat: true });
  holdfast.jokes.rules.add({ when: { category: 'waits' }, then: [{ status: 503, retryAfter: '60' }], repeat: true });
  await visit(tour('GET', '/ready', '/ready'));
  await visit(tour('GET', '/openapi.json', '/openapi.json'));
  await visit(tour('GET', '/metrics', '/metrics'));

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
  await visit(read('nope'));
  await visit(cancel('nope'));

  const rerun = (id: string, init?: RequestInit) => tour('POST', `/tasks/${id}/rerun`, '/tasks/{id}/rerun', init);
  const key = { headers: { 'idempotency-key': 'tour' } };
  await visit(rerun(joke.body.id, key));
  await visit(rerun(joke.body.id, key));
  await visit(rerun(failing.body.id, key));
  const { body: delayed } = await visit(tour('POST', '/tasks/fetch-joke?delay=600', '/tasks/fetch-joke'));
  await visit(rerun(delayed.id));
  await visit(cancel(delayed.id));
  await visit(rerun('nope'));
  await visit(rerun('nope', nobody));
  await visit(submit({ headers: { 'idempotency-key': '' } }));

  const list = (query: string, init?: RequestInit) => visit(tour('GET', `/tasks${query}`, '/tasks', init));
  for (const query of ['', '?status=open', '?status=retrying', '?status=completed', '?limit=1', '?limit=0']) {
    await list(query);
  }
  await visit(submit(json({ category: 7 })));
  await visit(submit({ headers: { 'content-type': 'application/json' }, body: '{' }));
  await visit(submit({ headers: { 'content-type': 'text/plain' }, body: '{}' }));
  await visit(submit(json({ category: 'x'.repeat(70_000) })));
  await visit(submit({ headers: { origin: 'https://elsewhere.example' } }));
  await visit(
    tour('POST', '/tasks/nope/cancel', '/tasks/{id}/cancel', { headers: { 'sec-fetch-site': 'cross-site' } }),
  );
  await visit(tour('POST', '/tasks/nope/cancel', '/tasks/{id}/cancel', { body: 'x'.repeat(70_000) }));
  await list(`?cursor=${'x'.repeat(9_000)}`);
  await list('', nobody);
  await visit(submit(nobody));
  await visit(tour('GET', '/tasks/nope', '/tasks/{id}', nobody));
  await visit(tour('POST', '/tasks/nope/cancel', '/tasks/{id}/cancel', nobody));
  await visit(tour('GET', '/metrics', '/metrics', nobody));
  for (const path of ['/health', '/ready', '/openapi.json', '/metrics', '/tasks', '/tasks/{id}']) {
    await visit(tour('GET', `${path.replace('{id}', 'nope')}?colour=red`, path));
  }

  const seen = [200, 202, 400, 401, 403, 404, 409, 413, 414, 415, 422, 503];
  expect([...new Set(statuses)].sort()).toEqual(seen);
});
