import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';
import { exchange, type WireAnswer } from '../../../support/wire.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  const API_KEYS = ['crowd', 'single'].map((owner) => `body-${owner}:${toSecret(`body-${owner}`)}`).join(',');
  holdfast = await startHoldfast({ API_KEYS });
});
afterAll(() => holdfast?.stop());

const toHead = (path: string, owner: string, ...lines: string[]) =>
  [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${toSecret(`body-${owner}`)}`,
    'Content-Type: application/json',
    ...lines,
    '\r\n',
  ].join('\r\n');

/** Begins a chunked body of a batch and keeps it open. */
function beginBody(owner: string): Socket {
  const { hostname, port } = new URL(holdfast.url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  socket.write(`${toHead('/batches/fetch-joke', owner, 'Transfer-Encoding: chunked')}1\r\n \r\n`);
  return socket;
}

const submitBatch = (owner: string) =>
  signIn(holdfast, toSecret(`body-${owner}`)).call('POST', '/batches/fetch-joke', {
    headers: { 'content-type': 'application/json' },
    body: '{"count":1}'.padEnd(1_500_000),
  });

// Seen to fail when bodies took any number of bytes, and when all keys had one budget without shares.
test("a key's unfinished bodies use up only its own share of the memory for bodies", async () => {
  const open = Array.from({ length: 21 }, () => beginBody('crowd'));
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const refused = await eventually(
    () => submitBatch('crowd'),
    ({ status }) => status === 503,
  );
  expect(expectProblem(refused, 'overloaded')).toMatchObject({
    detail: expect.stringMatching(/^\d+ bytes of request bodies are in memory for your API key, which is its share/),
  });
  expect((await submitBatch('single')).status).toBe(202);
  // Small requests and requests without a body are not affected.
  const { call, submit } = signIn(holdfast, toSecret('body-crowd'));
  const { id } = await submit({ category: 'dev' });
  expect((await call('GET', `/tasks/${id}`)).status).toBe(200);

  for (const socket of open) socket.destroy();
  await eventually(
    () => submitBatch('crowd'),
    ({ status }) => status === 202,
  );
});

// Seen to fail when any path below /batches accepted a large body.
test.each(['/batches/nothing', '/batches/a/cancel', '/tasks/fetch-joke'])(
  '%s accepts no body over 64 KiB, whether its length is declared or it is chunked',
  async (path) => {
    const bodies = [
      `${toHead(path, 'single', 'Content-Length: 65537')}`,
      `${toHead(path, 'single', 'Transfer-Encoding: chunked')}10001\r\n${' '.repeat(65_537)}\r\n`,
    ];
    for (const body of bodies) {
      const [answer] = await exchange(holdfast.url, body);
      expectProblem(answer as WireAnswer, 'body-too-large');
    }
  },
);

// Seen to fail when authentication came after the body.
test('a stranger gets a 401 before the body arrives, and the connection ends', async () => {
  const lines = ['POST /batches/fetch-joke HTTP/1.1', 'Host: localhost', 'Content-Type: application/json'];
  for (const length of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    const started = performance.now();
    const [answer] = await exchange(holdfast.url, [...lines, length, '\r\n'].join('\r\n'));
    expectProblem(answer as WireAnswer, 'unauthorized');
    expect(answer?.headers.get('connection')).toBe('close');
    expect(performance.now() - started).toBeLessThan(2_000);
  }
});
