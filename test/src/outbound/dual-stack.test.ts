import dns from 'node:dns';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { createAttempts } from '../../support/attempt.ts';
import { eventually } from '../../support/holdfast.ts';
import { jokeAnswer, startRawUpstream } from '../../support/raw-upstream.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  for (const end of ends.splice(0)) await end();
});

/** A server in a thread. While the thread blocks, its kernel queue fills, and the kernel drops further handshakes. */
const slowServer = `
const { createServer } = require('node:net');
const { parentPort, workerData: { answer, flag, host } } = require('node:worker_threads');
const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write(answer)));
server.listen({ port: 0, host, backlog: 1 }, () => {
  parentPort.on('message', (blockedMs) => {
    Atomics.store(flag, 0, 1);
    Atomics.wait(flag, 1, 0, blockedMs);
  });
  parentPort.postMessage(server.address().port);
});
`;

/** Starts an upstream that completes no handshake for `blockedMs`. The client's kernel repeats its SYN after 1 s. */
async function startSlowUpstream(blockedMs: number) {
  const flag = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { answer: jokeAnswer(), flag, host: '127.0.0.1' };
  const worker = new Worker(slowServer, { eval: true, workerData });
  ends.push(() => worker.terminate());
  const [port]: number[] = await once(worker, 'message');
  worker.postMessage(blockedMs);
  await eventually(
    () => Atomics.load(flag, 0),
    (isBlocked) => isBlocked === 1,
  );
  // With a backlog of 1 the queue holds two connections.
  const fillers: Socket[] = [];
  for (let count = 0; count < 2; count += 1) {
    const filler = connect({ port: Number(port), host: '127.0.0.1' }).on('error', () => {});
    fillers.push(filler);
    await once(filler, 'connect');
  }
  ends.push(() => fillers.map((filler) => filler.destroy()));
  return Number(port);
}

/** Makes every host name resolve to these addresses. */
function resolveTo(...addresses: string[]) {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const lookup = ((_host: string, _options: object, callback: (error: null, all: typeof found) => void) =>
    process.nextTick(callback, null, found)) as unknown as typeof dns.lookup;
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as never);
}

// Seen to fail with Node's own connections, which abandon every address but the last after 250 ms.
it('an attempt connects to a slow IPv4 address although IPv6 is dead', async () => {
  const port = await startSlowUpstream(600);
  resolveTo('127.0.0.1', '::1');
  const begun = performance.now();
  expect(await createAttempts({ upstreamUrl: `http://dual-stack.test:${port}` })()).toBe('ha');
  expect(performance.now() - begun).toBeGreaterThan(340);
});

it('an attempt does not wait for an address that never answers if another one does', async () => {
  const port = await startSlowUpstream(60_000);
  const upstream = await startRawUpstream(({ socket }) => socket.write(jokeAnswer()), '127.0.0.2', port);
  ends.push(upstream.close);
  resolveTo('127.0.0.1', '127.0.0.2');
  const begun = performance.now();
  expect(await createAttempts({ upstreamUrl: `http://dual-stack.test:${port}` })()).toBe('ha');
  expect(performance.now() - begun).toBeLessThan(3_000);
});

it('an attempt fails at once when every address refuses', async () => {
  const upstream = await startRawUpstream(() => {});
  upstream.close();
  resolveTo('127.0.0.1', '127.0.0.2');
  expect(await createAttempts({ upstreamUrl: `http://dual-stack.test:${upstream.port}` })()).toBe(
    'UpstreamUnreachable: The upstream could not be reached (ECONNREFUSED)',
  );
});

it('an attempt to addresses that never answer continues until its deadline', async () => {
  const port = await startSlowUpstream(60_000);
  resolveTo('127.0.0.1');
  expect(await createAttempts({ upstreamUrl: `http://dual-stack.test:${port}` })({ timeoutMs: 800 })).toBe(
    'UpstreamTimeout: The upstream did not answer before the deadline of the attempt',
  );
});
