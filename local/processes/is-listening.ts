import { connect } from 'node:net';

/** Whether a server accepts connections on that port of loopback. */
export const isListening = (port: number) =>
  new Promise<boolean>((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => settle(false)).once('connect', () => settle(Boolean(socket.destroy())));
  });
