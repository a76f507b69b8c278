import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const given = new Set<number>();

/**
 * Returns a TCP port that is free on loopback now. Each call returns a different port.
 * The port is below the ephemeral range (from 32768 on Linux, from 49152 elsewhere), because the system can give an
 * ephemeral port to an outgoing connection before the caller uses it.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_768);
    const probe = createServer();
    const isFree = await new Promise<boolean>((settle) => {
      probe.once('error', () => settle(false)).listen(port, '127.0.0.1', () => settle(true));
    });
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}

/** Returns whether a server accepts connections on that loopback port. */
export const isListening = (port: number) =>
  new Promise<boolean>((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => settle(false)).once('connect', () => settle(Boolean(socket.destroy())));
  });
