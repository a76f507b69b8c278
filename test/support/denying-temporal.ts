import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Starts a server that answers every gRPC call as Temporal answers a caller without permission. */
export async function startDenyingTemporal() {
  const server = createServer();
  server.on('stream', (stream) =>
    stream.respond(
      { 'content-type': 'application/grpc', 'grpc-status': '7', 'grpc-message': 'Request unauthorized.' },
      { endStream: true },
    ),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
