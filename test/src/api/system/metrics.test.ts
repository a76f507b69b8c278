import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
});
afterAll(() => holdfast.stop());

type Sample = { name: string; labels: Record<string, string>; value: number };

/** Reads a page in Prometheus' text format: `name{label="value"} 1`. */
async function readSamples(): Promise<Sample[]> {
  const response = await fetch(`${holdfast.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line && !line.startsWith('#'));
  return lines.map((line) => {
    const [, name = '', labels = '', value] = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    return { name, labels: Object.fromEntries(pairs), value: Number(value) };
  });
}

const sum = (samples: Sample[], name: string, labels: Record<string, string>) =>
  samples
    .filter((sample) => sample.name === name && Object.entries(labels).every(([key, v]) => sample.labels[key] === v))
    .reduce((total, { value }) => total + value, 0);

const json = (text: string) => ({ headers: { 'content-type': 'application/json' }, body: text });

// Seen to fail when `toOutcome` called a 4xx accepted.
test('submissions are counted by task and by outcome: accepted, replayed or refused', async () => {
  const count = (samples: Sample[], outcome: string) =>
    sum(samples, 'holdfast_submissions_total', { task: 'fetch-joke', outcome });
  const before = await readSamples();
  await holdfast.submit();
  await holdfast.submit({ category: 'dev' });
  await holdfast.call('POST', '/tasks/fetch-joke', json('{"category":7}'));
  await holdfast.call('POST', '/tasks/fetch-joke', json('{'));
  for (const _ of [1, 2, 3])
    await holdfast.call('POST', '/tasks/fetch-joke', { headers: { 'idempotency-key': 'counted' } });
  const { body: cancelled } = await holdfast.call('POST', '/tasks/fetch-joke?delay=600');
  await holdfast.call('POST', `/tasks/${cancelled.id}/cancel`);
  await holdfast.call('POST', `/tasks/${cancelled.id}/rerun`);
  await holdfast.call('POST', '/tasks/fetch-joke', { headers: { 'content-type': 'text/plain' }, body: 'x' });
  const after = await readSamples();
  expect(count(after, 'accepted') - count(before, 'accepted')).toBe(4);
  expect(count(after, 'replayed') - count(before, 'replayed')).toBe(2);
  expect(count(after, 'refused') - count(before, 'refused')).toBe(4);
  expect(count(after, 'unknown')).toBe(0);
});

// Seen to fail when the label was the request's path.
test('durations are measured by method, route and status, never by URL', async () => {
  const { id } = await holdfast.submit();
  const tour: [string, string, number][] = [
    ['GET', `/tasks/${id}`, 200],
    ['POST', `/tasks/${id}/cancel`, 202],
    ['GET', '/tasks?limit=3', 200],
    ['GET', '/tasks?limit=0', 400],
    ['GET', '/health', 200],
    ['GET', '/ready', 503],
    ['GET', '/tasks/unknown-id-1', 404],
    ['GET', '/tasks/unknown-id-2', 404],
    ['GET', '/unknown/path-1', 404],
    ['PUT', '/tasks/fetch-joke', 405],
  ];
  const before = await readSamples();
  for (const [method, path, status] of tour) expect((await holdfast.call(method, path)).status).toBe(status);
  const after = await readSamples();

  const name = 'holdfast_http_request_duration_seconds_count';
  const added = (labels: Record<string, string>) => sum(after, name, labels) - sum(before, name, labels);
  expect(added({ method: 'GET', route: '/tasks/:id', status: '200' })).toBe(1);
  expect(added({ method: 'POST', route: '/tasks/:id/cancel', status: '202' })).toBe(1);
  expect(added({ method: 'GET', route: '/tasks', status: '200' })).toBe(1);
  expect(added({ method: 'GET', route: '/tasks', status: '400' })).toBe(1);
  expect(added({ method: 'GET', route: '/health', status: '200' })).toBe(1);
  expect(added({ method: 'GET', route: '/ready', status: '503' })).toBe(1);
  expect(added({ method: 'GET', status: '404' })).toBe(3);
  expect(added({ method: 'PUT', status: '405' })).toBe(1);

  const routes = new Set(after.filter((sample) => sample.name === name).map(({ labels }) => labels.route));
  for (const route of routes) expect(route).not.toMatch(/unknown-id|path-1|limit|_fetch-joke_/);
});

test('a submission is timed under its own route', async () => {
  const name = 'holdfast_http_request_duration_seconds_count';
  const labels = { method: 'POST', route: '/tasks/fetch-joke', status: '202' };
  const before = await readSamples();
  await holdfast.submit();
  expect(sum(await readSamples(), name, labels) - sum(before, name, labels)).toBe(1);
});

test("the page has the bytes of the process's heap and resident memory", async () => {
  const samples = await readSamples();
  for (const name of ['process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'nodejs_heap_size_total_bytes']) {
    expect(sum(samples, name, {})).toBeGreaterThan(1e6);
  }
});
