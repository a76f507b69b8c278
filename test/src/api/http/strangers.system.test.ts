import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { findFreePort } from '../../../../local/processes/ports.ts';
import { eventually } from '../../../support/holdfast.ts';
import { toSecret } from '../../../support/signed-in.ts';
import { type StartedProcess, startProcess } from '../../../support/start-process.ts';
import { parseAnswers } from '../../../support/wire.ts';

const connections = 800;
const bodyBytes = 1_536 * 1_024;
const mebibyte = 2 ** 20;
const port = await findFreePort();
const url = `http://127.0.0.1:${port}`;
let api: StartedProcess;

beforeAll(async () => {
  const API_KEYS = ['crowd', 'single'].map((owner) => `${owner}:${toSecret(owner)}`).join(',');
  api = startProcess('server', {
    TEMPORAL_ADDRESS: inject('devServer'),
    TASK_QUEUE: 'test-strangers',
    API_KEYS,
    PORT: `${port}`,
    LOG_LEVEL: 'error',
  });
  await eventually(
    () => fetch(`${url}/health`).catch(() => undefined),
    (answer) => answer?.status === 200,
  );
}, 60_000);
afterAll(() => api?.end());

const readRss = () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))?.[1]) / 1_024;

/** Sends a chunked body of 1.5 MiB, as far as the server lets it, and never ends it. Collects the answer. */
function attack(lines: string[]) {
  const socket: Socket = connect(port, '127.0.0.1');
  const state = { sent: 0, answer: '', isClosed: false };
  socket.setEncoding('latin1').on('data', (text) => (state.answer += text));
  socket.on('error', () => {});
  socket.on('close', () => (state.isClosed = true));
  socket.write(
    [...lines, 'Host: localhost', 'Content-Type: application/json', 'Transfer-Encoding: chunked'].join('\r\n'),
  );
  socket.write('\r\n\r\n');
  const piece = `10000\r\n${' '.repeat(2 ** 16)}\r\n`;
  const send = () => {
    while (!socket.destroyed && state.sent < bodyBytes) {
      state.sent += 2 ** 16;
      if (!socket.write(piece)) return void socket.once('drain', send);
    }
  };
  send();
  return { state, end: () => socket.destroy() };
}

/** Starts to sample the memory of the API. Returns a function that ends this and says by how many MiB it grew. */
function sampleGrowth() {
  const before = readRss();
  let peak = before;
  const sampling = setInterval(() => (peak = Math.max(peak, readRss())), 50);
  return () => {
    clearInterval(sampling);
    return peak - before;
  };
}

/** Attacks with many connections. Returns the answers, and by how many MiB the API's memory grew. */
async function attackWithMany(lines: string[], meanwhile: () => Promise<void>) {
  const endSampling = sampleGrowth();
  const attacks = Array.from({ length: connections }, () => attack(lines));
  await meanwhile();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const grownMib = endSampling();
  const waiting = attacks.filter(({ state }) => !state.isClosed && state.answer === '').length;
  // A client that still sends when its connection is closed may lose the answer.
  const statuses = new Set(attacks.flatMap(({ state }) => parseAnswers(state.answer)[0]?.status ?? []));
  for (const { end } of attacks) end();
  return { grownMib, waiting, statuses: [...statuses] };
}

const isHealthy = async () => {
  for (let count = 0; count < 10; count += 1) expect((await fetch(`${url}/health`)).status).toBe(200);
};

// Before bodies were read only after authentication, the memory grew by 1,295 MiB.
test.each(['/batches/nothing', '/batches/fetch-joke', '/tasks/fetch-joke'])(
  '800 strangers that send endless bodies to %s get 401 before their bodies are read',
  async (path) => {
    const { grownMib, waiting, statuses } = await attackWithMany([`POST ${path} HTTP/1.1`], isHealthy);
    expect({ statuses, waiting }).toEqual({ statuses: [401], waiting: 0 });
    expect(grownMib).toBeLessThan(200);
  },
  60_000,
);

// Before, Node read these bodies as long as the clients sent them.
test.each(['GET /health', 'GET /docs', 'POST /ready', 'GET /tasks', 'OPTIONS /tasks', 'GET /batches/nothing'])(
  'the answer to %s closes the connection if the body has not arrived',
  async (call) => {
    const { state, end } = attack([`${call} HTTP/1.1`]);
    await eventually(
      () => state.isClosed,
      (isClosed) => isClosed,
      10_000,
    );
    end();
  },
);

// Before, each answer had bytes of its own, and the memory grew by up to 1,405 MiB.
test.each(['/openapi.json', '/docs/swagger-ui-bundle.js', '/docs'])(
  'strangers that ask for %s and never read the answers take little memory',
  async (path) => {
    const endSampling = sampleGrowth();
    const sockets = Array.from({ length: 200 }, () => {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(50));
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const grownMib = endSampling();
    for (const socket of sockets) socket.destroy();
    expect(grownMib).toBeLessThan(200);
    await isHealthy();
  },
  60_000,
);

test('800 endless bodies of one key take at most its share of memory, and other keys still submit batches', async () => {
  const toAuthorization = (owner: string) => `Bearer ${toSecret(owner)}`;
  const submit = async () => {
    await isHealthy();
    const headers = { authorization: toAuthorization('single'), 'content-type': 'application/json' };
    const body = JSON.stringify({ items: [{}] }).padEnd(mebibyte);
    for (let count = 0; count < 5; count += 1)
      expect((await fetch(`${url}/batches/fetch-joke`, { method: 'POST', headers, body })).status).toBe(202);
  };
  const lines = ['POST /batches/fetch-joke HTTP/1.1', `Authorization: ${toAuthorization('crowd')}`];
  const { grownMib, waiting, statuses } = await attackWithMany(lines, submit);
  // Half of the 64 MiB holds 21 bodies of 1.5 MiB. Their requests wait for the end of the body.
  expect({ statuses, waiting }).toEqual({ statuses: [503], waiting: 21 });
  expect(grownMib).toBeLessThan(200);
}, 60_000);
