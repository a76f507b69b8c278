import { connect } from 'node:net';

/** Whether something takes connections on that port of this machine. */
export const isListening = (port: number) =>
  new Promise<boolean>((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => settle(false)).once('connect', () => settle(Boolean(socket.destroy())));
  });
