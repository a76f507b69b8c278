import dns from 'node:dns';
import { connect as connectTcp, type Socket } from 'node:net';
import { buildConnector } from 'undici';

/** If an address has not answered after this time, the next one is tried as well (RFC 8305 section 5). */
const nextAddressAfterMs = 250;

/** How long a connection may be silent before TCP checks that the peer still exists. */
const keepAliveInitialDelay = 30_000;

const secure = buildConnector({ timeout: 0, keepAliveInitialDelay });

/**
 * Connects to the first address of a host that answers. Keeps trying an address until it fails. Node would abandon
 * every address but the last after 250 ms, and never connect over a slow network. There is no timeout, because each
 * attempt has its own deadline.
 */
export const connect: buildConnector.connector = (options, callback) => {
  const { hostname, protocol } = options;
  const port = Number(options.port) || (protocol === 'https:' ? 443 : 80);
  dns.lookup(hostname, { all: true }, (error, addresses) => {
    if (error) return callback(error, null);
    const hosts = addresses.map(({ address }) => address);
    connectToFirst(hosts, port, (...[failure, socket]) => {
      if (failure) return callback(failure, null);
      if (protocol === 'https:') return secure({ ...options, httpSocket: socket }, callback);
      callback(null, socket);
    });
  });
};

/** Tries the addresses in their order, and keeps the first connection. Reports the first error if all fail. */
function connectToFirst([...hosts]: string[], port: number, callback: buildConnector.Callback) {
  const open = new Set<Socket>();
  let firstError: Error | undefined;
  let timer: NodeJS.Timeout | undefined;
  const tryNext = () => {
    clearTimeout(timer);
    const host = hosts.shift();
    if (host === undefined) return open.size === 0 ? callback(firstError ?? new Error('no address'), null) : undefined;
    const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay });
    const onError = (error: Error) => {
      firstError ??= error;
      open.delete(socket);
      tryNext();
    };
    open.add(socket);
    socket.once('error', onError).once('connect', () => {
      clearTimeout(timer);
      hosts.length = 0;
      socket.off('error', onError);
      for (const other of open) if (other !== socket) other.destroy();
      callback(null, socket);
    });
    timer = setTimeout(tryNext, nextAddressAfterMs);
  };
  tryNext();
}
