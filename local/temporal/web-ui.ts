import { once } from 'node:events';
import { Agent, type ClientRequest, createServer, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream';
import { findRefusal, toHiddenAddress } from '../../src/loopback.ts';
import { findFreePort } from '../processes/ports.ts';

const toReceived = ({ method = 'GET', url = '', headers }: IncomingMessage) => ({
  method,
  url: url.startsWith('/') ? `http://${headers.host}${url}` : url,
  header: (name: string) => headers[name]?.toString(),
});

/**
 * Serves Temporal's Web UI on `port` of loopback and refuses requests that come from foreign web pages. The server of
 * the Web UI must listen on the returned `address`, which web pages cannot guess, because it answers every request,
 * even one that terminates a workflow.
 * @throws the system's error if the port cannot be used.
 */
export async function guardWebUi(port: number) {
  const address = { host: toHiddenAddress(), port: await findFreePort() };
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    const refusal = findRefusal(toReceived(incoming), { loopbackOnly: true });
    if (refusal) return void response.writeHead(refusal.status).end(refusal.detail);
    const { method, url: path, headers } = incoming;
    let outgoing: ClientRequest;
    try {
      outgoing = request({ ...address, agent, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        // Also ends the response if the server stops in the middle of its answer.
        pipeline(answer, response, () => {});
      });
      // Throws now if Node does not send such a request, for example with a `Trailer`.
      outgoing.flushHeaders();
    } catch {
      return void response.writeHead(400).end();
    }
    outgoing.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    address,
    close() {
      server.close().closeAllConnections();
      agent.destroy();
    },
  };
}

export type WebUi = Awaited<ReturnType<typeof guardWebUi>>;
