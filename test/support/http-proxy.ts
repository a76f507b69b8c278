import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

type Options = { names?: Record<string, number>; refuseWith?: number };

/**
 * Starts an HTTP proxy that speaks both forms: CONNECT, and requests with a whole URL. It alone resolves `names`: each
 * host name leads to that port of 127.0.0.1. `calls` lists the request lines and credentials that it saw.
 */
export async function startHttpProxy({ names = {}, refuseWith }: Options = {}) {
  const calls: { line: string; authorization: string | undefined }[] = [];
  const server = createServer((incoming, response) => {
    const { method, url = '', headers } = incoming;
    calls.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] });
    if (refuseWith) return void response.writeHead(refuseWith).end();
    const { hostname, pathname, search, port } = new URL(url);
    const target = { host: '127.0.0.1', port: names[hostname] ?? port, path: `${pathname}${search}`, method, headers };
    request(target, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.writeHead(502).end())
      .end();
  });
  server.on('connect', ({ url = '', headers }, socket) => {
    calls.push({ line: `CONNECT ${url}`, authorization: headers['proxy-authorization'] });
    if (refuseWith) return socket.end(`HTTP/1.1 ${refuseWith} No\r\n\r\n`);
    const [hostname = '', port] = url.split(':');
    const upstream = connect(names[hostname] ?? Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    calls,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
