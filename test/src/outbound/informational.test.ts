import { expect, it } from 'vitest';
import { createAttempts } from '../../support/attempt.ts';
import { jokeAnswer, startRawUpstream } from '../../support/raw-upstream.ts';

const early = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n';
const processing = 'HTTP/1.1 102 Processing\r\n\r\n';
const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';
const proceedWithoutReason = 'HTTP/1.1 100\r\nX-Request: 1\r\n\r\n';

/** Runs two attempts. The upstream sends these parts, each in a segment of its own. */
async function fetchTwice(parts: string[]) {
  const upstream = await startRawUpstream(({ socket }) => {
    socket.setNoDelay(true);
    const send = ([part, ...rest]: string[]) => socket.write(part ?? '', () => rest[0] && setImmediate(send, rest));
    send(parts);
  });
  try {
    const attempt = createAttempts({ upstreamUrl: upstream.url });
    return [await attempt(), await attempt()];
  } finally {
    upstream.close();
  }
}

// RFC 9110 section 15.2: a client must be able to parse any number of 1xx responses before the final one.
it.each<[string, string[]]>([
  ['103', [early, jokeAnswer()]],
  ['102', [processing, jokeAnswer()]],
  ['100', [proceed, jokeAnswer()]],
  ['100 without a reason', [proceedWithoutReason, jokeAnswer()]],
  ['100 in the segment of the final answer', [proceed + jokeAnswer()]],
  ['several of them', [early, processing, proceed, proceed, early, jokeAnswer()]],
  ['several of them in one segment', [proceed + early + proceed + processing + jokeAnswer()]],
  ['100 in two segments', ['HTTP/1.1 10', proceed.slice('HTTP/1.1 10'.length) + jokeAnswer()]],
  ['several of them, byte by byte', [...(proceed + early + proceedWithoutReason + jokeAnswer())]],
])('an answer after %s is a good answer', async (_, parts) => {
  expect(await fetchTwice(parts)).toEqual(['ha', 'ha']);
});

it('a body with text that looks like a 100 is not changed', async () => {
  const body = JSON.stringify({ id: '1', value: 'HTTP/1.1 100 Continue', url: 'u' });
  const [before = '', after = ''] = body.split(/(?=HTTP)/);
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
  expect(await fetchTwice([proceed, head, before, after])).toEqual(Array(2).fill('HTTP/1.1 100 Continue'));
});
