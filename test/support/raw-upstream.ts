import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const joke = JSON.stringify({ id: '1', value: 'ha', url: 'u' });

/** The bytes of an answer with a joke. `headers` are further lines, each with its line end. */
export const jokeAnswer = (headers = '') =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${joke.length}\r\n${headers}\r\n${joke}`;

export type RawRequest = {
  socket: Socket;
  /** The number of the connection, from 1. */
  connection: number;
  /** The number of the request on this connection, from 1. */
  nth: number;
  head: string;
};

/** Starts a TCP server that calls `answer` with each request head. It sends nothing by itself. */
export async function startRawUpstream(answer: (request: RawRequest) => unknown, host = '127.0.0.1', wanted = 0) {
  const sockets: Socket[] = [];
  const requests: RawRequest[] = [];
  const server: Server = createServer((socket) => {
    const connection = sockets.push(socket);
    let text = '';
    let nth = 0;
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        nth += 1;
        const request = { socket, connection, nth, head: text.slice(0, end) };
        text = text.slice(end + 4);
        requests.push(request);
        answer(request);
      }
    });
  }).listen(wanted, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    sockets,
    requests,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
