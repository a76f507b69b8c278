import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What a proxy does to its traffic. With `drop`, requests arrive and are executed, but their answers are lost. */
export type Mode = { kind: 'pass' } | { kind: 'delay'; ms: number } | { kind: 'cut' } | { kind: 'drop' };

type Pair = { client: Socket; server: Socket; lostAnswers: boolean };

/**
 * Starts a TCP proxy on a free loopback port in front of `port`. When the proxy passes traffic again, it resets the
 * connections that lost answers, because the byte streams of these connections have gaps.
 */
export async function startProxy(port: number) {
  const pairs = new Set<Pair>();
  let mode: Mode = { kind: 'pass' };
  let affected = 0;

  const reset = (pair: Pair) => {
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
    pairs.delete(pair);
  };

  /** Forwards chunks in the order of arrival. Each chunk waits for the delay that was set when the chunk arrived. */
  function forward(pair: Pair, from: Socket, to: Socket, isAnswer: boolean) {
    let due = 0;
    let waiting = 0;
    const later = (work: () => void) => {
      if (mode.kind === 'delay') {
        affected += 1;
        due = Math.max(due, performance.now() + mode.ms);
      }
      if (waiting === 0 && due <= performance.now()) return work();
      waiting += 1;
      setTimeout(
        () => {
          waiting -= 1;
          work();
        },
        Math.max(0, due - performance.now()),
      );
    };
    from.on('data', (bytes) => {
      if (isAnswer && mode.kind === 'drop') {
        affected += 1;
        pair.lostAnswers = true;
        return;
      }
      later(() => void to.write(bytes));
    });
    from.on('end', () => later(() => void to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      pairs.delete(pair);
      // Closes the other side after all delayed chunks were written.
      later(() => void to.destroySoon());
    });
  }

  const server = createServer({ allowHalfOpen: true }, (client) => {
    client.setNoDelay(true);
    if (mode.kind === 'cut') {
      affected += 1;
      client.on('error', () => {});
      return void client.resetAndDestroy();
    }
    const pair: Pair = {
      client,
      server: connect({ port, host: '127.0.0.1', allowHalfOpen: true }),
      lostAnswers: false,
    };
    pair.server.setNoDelay(true);
    pairs.add(pair);
    forward(pair, client, pair.server, false);
    forward(pair, pair.server, client, true);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    /** Returns how many connections or chunks the current mode has affected. */
    affected: () => affected,
    /** Changes the mode. Returns how many connections or chunks the previous mode affected. */
    set(next: Mode): number {
      const before = affected;
      affected = 0;
      mode = next;
      for (const pair of [...pairs]) {
        if (next.kind === 'cut') affected += 1;
        if (next.kind === 'cut' || (next.kind === 'pass' && pair.lostAnswers)) reset(pair);
      }
      return before;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const pair of [...pairs]) reset(pair);
      await closed;
    },
  };
}

export type TcpProxy = Awaited<ReturnType<typeof startProxy>>;
