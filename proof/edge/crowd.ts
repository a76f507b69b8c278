import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const dripMs = 250;

/** What a slow connection sends before it begins to drip: headers, or a body, that do not end. */
const beginnings = [
  'GET /health HTTP/1.1\r\nHost: localhost\r\n',
  'POST /tasks/fetch-joke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n',
];

/**
 * Opens connections that mean no good: `idle` ones send nothing, `slow` ones a byte now and then. One that the server ends is
 * opened anew, so that there are as many as long as the crowd lasts.
 */
export async function gatherCrowd(url: string, { idle, slow }: { idle: number; slow: number }) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isOver = false;

  function open(beginning: string): Socket {
    const socket = connect(Number(port), hostname, () => beginning && socket.write(beginning));
    sockets.add(socket);
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
  const dripping = opened.slice(idle);
  const timer = setInterval(() => {
    for (const socket of dripping) if (socket.writable) socket.write('x');
  }, dripMs);

  return {
    /** How many connections are open at this moment. */
    count: () => [...sockets].filter(({ readyState }) => readyState === 'open').length,
    disperse() {
      isOver = true;
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
    },
  };
}
