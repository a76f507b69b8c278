import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { platform } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createAttempts } from '../../support/attempt.ts';
import { eventually } from '../../support/holdfast.ts';
import { jokeAnswer, type RawRequest, startRawUpstream } from '../../support/raw-upstream.ts';

type RawUpstream = Awaited<ReturnType<typeof startRawUpstream>>;
let upstream: RawUpstream | undefined;
afterEach(() => upstream?.close());

/** Runs attempts until one of them reuses a connection. Returns how that one ended. */
async function reuse({ requests }: RawUpstream, attempt: () => Promise<string>): Promise<string> {
  const ends: string[] = [];
  while (!requests.some(({ nth }) => nth > 1)) {
    // undici offers a connection again only in a later turn of the event loop.
    await nextTurn();
    ends.push(await attempt());
  }
  expect(ends.slice(0, -1)).toEqual(Array(ends.length - 1).fill('ha'));
  return ends.at(-1) ?? '';
}

/** Starts an upstream and a worker's activities. `later` answers the requests on reused connections. */
async function connectTo(later: (request: RawRequest) => unknown, headers = '') {
  upstream = await startRawUpstream((request) =>
    request.nth === 1 ? request.socket.write(jokeAnswer(headers)) : later(request),
  );
  return { upstream, attempt: createAttempts({ upstreamUrl: upstream.url }) };
}

const unreachable = /^UpstreamUnreachable: The upstream could not be reached \((ECONNRESET|UND_ERR_SOCKET)\)$/;

describe('an idle connection', () => {
  // Seen to fail with undici's default, which believes the upstream's header for up to 10 minutes.
  it('is closed after a few seconds, whatever the Keep-Alive header says', async () => {
    const { upstream, attempt } = await connectTo(() => 'forgotten', 'Keep-Alive: timeout=600\r\n');
    const burst = () => Promise.all(Array.from({ length: 10 }, () => attempt({ timeoutMs: 3_000 })));
    expect(await burst()).toEqual(Array(10).fill('ha'));
    await Promise.all(upstream.sockets.map((socket) => socket.destroyed || once(socket, 'close')));
    expect(await burst()).toEqual(Array(10).fill('ha'));
  }, 15_000);

  it('is reused before that', async () => {
    const { upstream, attempt } = await connectTo(({ socket }) => socket.write(jokeAnswer()));
    expect(await reuse(upstream, attempt)).toBe('ha');
  });
});

describe('a reused connection', () => {
  // Seen to fail without the repetition.
  it.each<[string, (request: RawRequest) => unknown]>([
    ['is reset', ({ socket }) => socket.resetAndDestroy()],
    ['is closed', ({ socket }) => socket.end()],
  ])('and %s before any byte of the answer costs no attempt: the call goes to a new connection', async (_, later) => {
    const { upstream, attempt } = await connectTo(later);
    expect(await reuse(upstream, attempt)).toBe('ha');
    const [lost, repeated] = upstream.requests.slice(-2);
    expect([lost?.nth, repeated?.nth]).toEqual([2, 1]);
    expect(repeated?.head).toBe(lost?.head);
  });

  it('that is reset costs no attempt, even if ten calls meet it at once', async () => {
    const { upstream, attempt } = await connectTo(({ socket }) => socket.resetAndDestroy());
    const burst = () => Promise.all(Array.from({ length: 10 }, () => attempt()));
    expect(await burst()).toEqual(Array(10).fill('ha'));
    expect(await burst()).toEqual(Array(10).fill('ha'));
    expect(upstream.requests.length).toBeLessThanOrEqual(30);
  });

  // Seen to fail when a worker that had been frozen repeated a call that the server had given up.
  it('that is lost over 2 s after the call was sent costs an attempt, and the call is not repeated', async () => {
    const { upstream, attempt } = await connectTo(({ socket }) => setTimeout(() => socket.resetAndDestroy(), 2_100));
    expect(await reuse(upstream, attempt)).toMatch(unreachable);
    expect(upstream.requests.at(-1)?.nth).toBe(2);
  });

  it('that is closed after the first byte of the answer costs an attempt', async () => {
    const { upstream, attempt } = await connectTo(({ socket }) => socket.end('H'));
    expect(await reuse(upstream, attempt)).toMatch(unreachable);
    expect(upstream.requests.at(-1)?.nth).toBe(2);
  });
});

describe('a new connection', () => {
  // Seen to fail when every reset was followed by another call.
  it('that is reset before any byte of the answer costs an attempt, and the call is not repeated', async () => {
    upstream = await startRawUpstream(({ socket }) => socket.resetAndDestroy());
    expect(await createAttempts({ upstreamUrl: upstream.url })()).toMatch(unreachable);
    expect(upstream.requests).toHaveLength(1);
  });

  it('whose TLS handshake is reset costs an attempt, and one that is not answered lasts until its deadline', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => {}).once('data', () => connections === 1 && socket.resetAndDestroy());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const attempt = createAttempts({ upstreamUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}` });
    expect(await attempt()).toMatch(unreachable);
    expect(await attempt({ timeoutMs: 500 })).toMatch(/^UpstreamTimeout: /);
    expect(connections).toBe(2);
  });

  it('replaces a reset one only once in an attempt', async () => {
    const { requests, ...raw } = await startRawUpstream(({ socket, nth }) =>
      nth > 1 || requests.some((earlier) => earlier.nth > 1) ? socket.resetAndDestroy() : socket.write(jokeAnswer()),
    );
    upstream = { requests, ...raw };
    expect(await reuse(upstream, createAttempts({ upstreamUrl: upstream.url }))).toMatch(unreachable);
    expect(requests.slice(-2).map(({ nth }) => nth)).toEqual([2, 1]);
    expect(requests.filter(({ nth }) => nth > 1)).toHaveLength(1);
  });

  // /proc/net/tcp has the local address in column 2 and the active timer in column 6. Timer 2 is TCP keep-alive.
  it.runIf(platform() === 'linux')('has TCP keep-alive, so that a vanished upstream is noticed', async () => {
    upstream = await startRawUpstream(() => 'no answer');
    const { requests, url } = upstream;
    const attempt = createAttempts({ upstreamUrl: url })({ timeoutMs: 2_000 });
    await eventually(
      () => requests.length,
      (count) => count === 1,
    );
    const port = requests[0]?.socket.remotePort?.toString(16).toUpperCase().padStart(4, '0');
    await eventually(
      () =>
        readFileSync('/proc/net/tcp', 'utf8')
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
          .find(([, local]) => local?.endsWith(`:${port}`))?.[5],
      (timer) => timer?.startsWith('02:') === true,
    );
    expect(await attempt).toContain('UpstreamTimeout');
  });
});
