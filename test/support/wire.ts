import { connect } from 'node:net';

export type WireAnswer = { status: number; headers: Headers; text: string; raw: string };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Splits the bytes of one connection into answers. A body has the length of its Content-Length. */
export function parseAnswers(raw: string): WireAnswer[] {
  const answers: WireAnswer[] = [];
  for (let rest = raw; rest.startsWith('HTTP/1.1 '); ) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const headers = new Headers(lines.map((line) => line.split(/:\s*(.*)/).slice(0, 2) as [string, string]));
    const status = Number(statusLine.split(' ')[1]);
    const length = status < 200 ? 0 : Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY);
    const text = rest.slice(end + 4, end + 4 + length);
    if (status >= 200) answers.push({ status, headers, text, raw: rest.slice(0, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

/**
 * Writes raw bytes to the server at `url` and returns every answer that it sent before it closed the connection.
 * An array is written piece by piece, `pauseMs` apart. The client closes the connection only after `withinMs`.
 */
export async function exchange(
  url: string,
  pieces: string | Buffer | (string | Buffer)[],
  { pauseMs = 0, withinMs = 30_000 } = {},
): Promise<WireAnswer[]> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let raw = '';
  socket.setEncoding('latin1').on('data', (text) => {
    raw += text;
  });
  // A server that answers and closes while we still write resets the connection. Its answer still counts.
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const timer = setTimeout(() => socket.destroy(), withinMs);
  for (const piece of [pieces].flat()) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (pauseMs > 0) await Promise.race([closed, pause(pauseMs)]);
  }
  await closed;
  clearTimeout(timer);
  return parseAnswers(raw);
}
