import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../../../../src/api/app.ts';
import { loadConfig } from '../../../../src/config/config.ts';
import { createApiMetrics } from '../../../../src/telemetry/metrics.ts';
import { type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { exchange } from '../../../support/wire.ts';

// Each test has its own tasks, so the tests can wait at the same time.
const test = it.concurrent;

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

// This upstream fails each task once and keeps the headers of every request.
const seen: IncomingHttpHeaders[] = [];
let upstream: Server;
let holdfast: Holdfast;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    seen.push(request.headers);
    const isFirst = request.headers['holdfast-attempt'] === '1';
    response.writeHead(isFirst ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ id: '1', value: 'A joke', url: 'http://localhost/1' }));
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const API_BASE_URL = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  holdfast = await startHoldfast({ API_BASE_URL, BASE_DELAY: '0.01' });
  await holdfast.startWorker();
});
afterAll(async () => {
  await holdfast?.stop();
  upstream.closeAllConnections();
  upstream.close();
});

/** Submits a task with these headers. Returns the trace headers that the upstream got with each attempt. */
async function passOn(headers: Record<string, string>) {
  const { status, body } = await holdfast.call('POST', '/tasks/fetch-joke', { headers });
  expect(status).toBe(202);
  await holdfast.until(body.id, isFinished);
  return seen
    .filter((each) => each['idempotency-key'] === body.id)
    .map(({ traceparent, tracestate }) => ({ traceparent, tracestate }));
}

const key = 'k'.repeat(200);
const longest = `a=${'x'.repeat(254)},b=${'x'.repeat(253)}`;

// Seen to fail when the workflow passed only `jitter` on.
test.each([
  ['a traceparent', traceparent, undefined],
  ['one that is not sampled', traceparent.replace(/01$/, '00'), undefined],
  ['one with unknown flags', traceparent.replace(/01$/, 'ff'), undefined],
  ['one of a later version', traceparent.replace(/^00/, '01'), undefined],
  ['one of a later version with more fields', `${traceparent.replace(/^00/, 'cc')}-what-the-future-brings`, undefined],
  ['a tracestate', traceparent, 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
  ['a tracestate of a tenant, with blanks and an empty member', traceparent, 'fw529a3039@dt=FfAy , ,1a=b c!'],
  ['a tracestate of 512 characters', traceparent, longest],
  ['a tracestate of 32 members', traceparent, Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(',')],
  ['a long key', traceparent, `${key}=v`],
])('%s reaches the upstream unchanged with every attempt', async (_, parent, state) => {
  const attempts = await passOn({ traceparent: parent, ...(state && { tracestate: state }) });
  expect(attempts).toEqual(Array(2).fill({ traceparent: parent, tracestate: state }));
});

// Seen to fail when `readTrace` accepted any value.
test.each([
  ['nothing', ''],
  ['text', 'hello'],
  ['capital letters', traceparent.toUpperCase()],
  ['version ff', traceparent.replace(/^00/, 'ff')],
  ['version 00 with more fields', `${traceparent}-more`],
  ['a later version with more text but no dash', `${traceparent.replace(/^00/, '01')}more`],
  ['a later version that is too long', `${traceparent.replace(/^00/, '01')}-${'x'.repeat(2_000)}`],
  ['a trace id of zeros', traceparent.replace(traceId, '0'.repeat(32))],
  ['a parent id of zeros', traceparent.replace('00f067aa0ba902b7', '0'.repeat(16))],
  ['a trace id cut short', traceparent.replace(traceId, traceId.slice(1))],
  ['two in one', `${traceparent}, ${traceparent}`],
])('a traceparent that is not valid (%s) is ignored, and its tracestate with it', async (_, parent) => {
  expect(await passOn({ traceparent: parent, tracestate: 'a=b' })).toEqual([{}, {}]);
});

test.each([
  ['513 characters', `${longest}x`],
  ['33 members', Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(',')],
  ['no key', '=v'],
  ['no value', 'a='],
  ['a key in capitals', 'A=b'],
  ['a value with an equals sign', 'a=b=c'],
  ['no pair at all', 'nonsense'],
  ['a key of 257 characters', `${'k'.repeat(257)}=v`],
])('a tracestate that is not valid (%s) is dropped, and the traceparent is passed on', async (_, state) => {
  expect(await passOn({ traceparent, tracestate: state })).toEqual(Array(2).fill({ traceparent }));
});

test('a traceparent sent twice is ignored; a tracestate in two lines is one list', async () => {
  const lines = (...more: string[]) =>
    [
      'POST /tasks/fetch-joke HTTP/1.1',
      'Host: localhost',
      'Content-Length: 0',
      'Connection: close',
      ...more,
      '',
      '',
    ].join('\r\n');
  const submit = async (...more: string[]) => {
    const [answer] = await exchange(holdfast.url, lines(...more));
    const { id } = JSON.parse(answer?.text ?? '');
    await holdfast.until(id, isFinished);
    return seen.find((each) => each['idempotency-key'] === id);
  };
  expect(await submit(`traceparent: ${traceparent}`, `traceparent: ${traceparent}`)).not.toHaveProperty('traceparent');
  expect(await submit(`traceparent: ${traceparent}`, 'tracestate: a=1', 'tracestate: b=2')).toMatchObject({
    traceparent,
    tracestate: 'a=1, b=2',
  });
});

// Seen to fail when the line had no trace id.
test('the log line of a request names its trace, and no other', async () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const app = createApp({ client: {} as Client, config: loadConfig({}), log, metrics: createApiMetrics() });
  for (const parent of [traceparent, 'rubbish']) {
    await app.request('/tasks/nope', { headers: { host: 'localhost', traceparent: parent } });
  }
  expect(lines).toMatchObject([{ msg: 'Request', traceId }, { msg: 'Request' }]);
  expect(JSON.stringify(lines[1])).not.toMatch(/trace|rubbish/);
});
