import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAttempts } from '../../support/attempt.ts';
import { startRawUpstream } from '../../support/raw-upstream.ts';

const joke = { id: '1', value: 'ha', url: 'u' };
const json = Buffer.from(JSON.stringify(joke));

let answer: { encoding: string | string[]; body: Buffer };
let received: IncomingHttpHeaders = {};
const upstream = createServer((request, response) => {
  received = request.headers;
  response.setHeader('content-encoding', answer.encoding).end(answer.body);
});
beforeAll(() => once(upstream.listen(0, '127.0.0.1'), 'listening'));
afterAll(() => upstream.close());

/** Runs one attempt against an upstream with this answer. Returns the joke, or the failure's type and message. */
async function fetchJoke(encoding: string | string[], body: Buffer) {
  answer = { encoding, body };
  return createAttempts({ upstreamUrl: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` })();
}

// `cut` halves an encoded body. `damage` overwrites its last eight bytes, which hold gzip's checksum.
const longJson = JSON.stringify({ ...joke, value: 'x'.repeat(2_000) });
// Brotli has no level without compression. It cannot compress random digits to less than a third.
const noise = JSON.stringify({ ...joke, value: randomBytes(20_000).toString('hex') });
const cut = (body: Buffer) => body.subarray(0, body.length / 2);
const damage = (body: Buffer) => Buffer.concat([body.subarray(0, -8), Buffer.alloc(8, 1)]);

const notJson = 'InvalidResponse: The upstream answered something other than JSON';
const nothing = 'InvalidResponse: The upstream answered nothing';
const broken = 'InvalidResponse: The upstream answered a broken encoding';
const codings = 'InvalidResponse: The upstream answered more than 5 content codings';
const truncated = 'TruncatedResponse: The upstream answered JSON that stops in the middle';
const tooLarge = 'ResponseTooLarge: The upstream answered more than 65536 bytes';

describe('an encoded answer', () => {
  it.each<[string, string | string[], Buffer]>([
    ['gzip', 'gzip', gzipSync(json)],
    ['x-gzip', 'x-gzip', gzipSync(json)],
    ['gzip in capitals', 'GZIP', gzipSync(json)],
    ['gzip of several members', 'gzip', Buffer.concat([gzipSync(json.subarray(0, 9)), gzipSync(json.subarray(9))])],
    ['gzip followed by zeros', 'gzip', Buffer.concat([gzipSync(json), Buffer.alloc(64)])],
    ['deflate with zlib’s header', 'deflate', deflateSync(json)],
    ['deflate without a header', 'deflate', deflateRawSync(json)],
    ['br', 'br', brotliCompressSync(json)],
    ['gzip, then br', 'gzip, br', brotliCompressSync(gzipSync(json))],
    ['deflate, then gzip', 'deflate,gzip', gzipSync(deflateSync(json))],
    ['raw deflate, then gzip, in two headers', ['deflate', 'gzip'], gzipSync(deflateRawSync(json))],
    ['five times gzip', 'gzip,gzip,gzip,gzip,gzip', [1, 2, 3, 4, 5].reduce((body) => gzipSync(body), json)],
    ['an empty name', '', json],
    ['an unknown name, unencoded', 'identity', json],
  ])('as %s is decoded', async (_, encoding, body) => {
    expect(await fetchJoke(encoding, body)).toBe('ha');
  });

  // Seen to fail before: broken brotli and a sixth coding were retried as "could not be reached".
  it.each<[string, string, Buffer, string]>([
    ['gzip that is plain text', 'gzip', json, broken],
    ['gzip with a damaged checksum', 'gzip', damage(gzipSync(json)), broken],
    ['deflate that is plain text', 'deflate', json, broken],
    ['br that is plain text', 'br', json, broken],
    ['six times gzip', 'gzip,gzip,gzip,gzip,gzip,gzip', json, codings],
    ['gzip within gzip that is plain text', 'gzip, gzip', gzipSync(json), broken],
    ['an unknown coding', 'lzw', gzipSync(json), notJson],
    ['an unknown coding beside gzip', 'lzw, gzip', gzipSync(json), notJson],
    ['gzip of an empty text', 'gzip', gzipSync(''), nothing],
    ['an empty body labelled gzip', 'gzip', Buffer.alloc(0), nothing],
    ['an empty body labelled deflate', 'deflate', Buffer.alloc(0), nothing],
    ['an empty body labelled br', 'br', Buffer.alloc(0), nothing],
    ['gzip that stops early', 'gzip', cut(gzipSync(longJson, { level: 0 })), truncated],
    ['deflate that stops early', 'deflate', cut(deflateSync(longJson, { level: 0 })), truncated],
    ['raw deflate that stops early', 'deflate', cut(deflateRawSync(longJson, { level: 0 })), truncated],
    ['br that stops early', 'br', cut(brotliCompressSync(noise)), truncated],
    ['a bomb in gzip', 'gzip', gzipSync(Buffer.alloc(50_000_000)), tooLarge],
    ['a bomb in deflate', 'deflate', deflateSync(Buffer.alloc(50_000_000)), tooLarge],
    ['a bomb in raw deflate', 'deflate', deflateRawSync(Buffer.alloc(50_000_000)), tooLarge],
    ['a bomb in br', 'br', brotliCompressSync(Buffer.alloc(5_000_000)), tooLarge],
    ['a bomb in a bomb', 'gzip, gzip', gzipSync(gzipSync(Buffer.alloc(50_000_000))), tooLarge],
  ])('as %s is refused', async (_, encoding, body, failure) => {
    expect(await fetchJoke(encoding, body)).toBe(failure);
  });

  it('that does not arrive whole is retried', async () => {
    const cutShort = await startRawUpstream(({ socket }) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 100\r\n\r\n'),
    );
    expect(await createAttempts({ upstreamUrl: cutShort.url })()).toMatch(
      /^UpstreamUnreachable: The upstream could not be reached \(UND_ERR_[A-Z_]+\)$/,
    );
    cutShort.close();
  });

  it('is asked for in the request', async () => {
    await fetchJoke('', json);
    expect(received).toMatchObject({
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate',
      'user-agent': 'undici',
      'holdfast-attempt': '1',
    });
  });
});
