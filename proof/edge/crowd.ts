import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const dripMs = 250;

/** The first bytes of a slow connection: headers that never end, or the headers of a body that never ends. */
const beginnings = [
  'GET /health HTTP/1.1\r\nHost: localhost\r\n',
  'POST /tasks/fetch-joke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n',
];

/**
 * Opens hostile connections. `idle` is the number of those that send nothing, and `slow` the number of those that send
 * a byte now and then. If the server closes a connection, opens a new one in its place. Resolves when all are open.
 */
export async function openCrowd(url: string, { idle, slow }: { idle: number; slow: number }) {
  const { hostname, port } = new URL(url);
  /** Each open socket with its first bytes. */
  const sockets = new Map<Socket, string>();
  let isOver = false;

  function open(beginning: string): Socket {
    const socket = connect(Number(port), hostname, () => beginning && socket.write(beginning));
    sockets.set(socket, beginning);
    socket.on('error', () => {}).resume();
    socket.once('close', () => {
      sockets.delete(socket);
      if (!isOver) open(beginning);
    });
    return socket;
  }

  const opened = Array.from({ length: idle + slow }, (_, index) =>
    open(index < idle ? '' : (beginnings[index % beginnings.length] ?? '')),
  );
  await Promise.all(opened.map((socket) => once(socket, 'connect')));
  const timer = setInterval(() => {
    for (const [socket, beginning] of sockets) if (beginning && socket.writable) socket.write('x');
  }, dripMs);

  return {
    /** Returns how many connections are open. */
    count: () => [...sockets.keys()].filter(({ readyState }) => readyState === 'open').length,
    close() {
      isOver = true;
      clearInterval(timer);
      for (const socket of sockets.keys()) socket.destroy();
    },
  };
}
