import { pipeline } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { toAnswerFailure } from './failure.ts';

type Bytes = AsyncIterable<Buffer>;

const maximumBytes = 64 * 1024;

/** Each content coding needs memory, so a response with over five codings is refused. `fetch` has the same limit. */
const maximumCodings = 5;

/** With these options, an incomplete stream is decoded as far as it goes. Its JSON is then reported as truncated. */
const zlibOptions = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
const brotliOptions = { flush: constants.BROTLI_OPERATION_FLUSH, finishFlush: constants.BROTLI_OPERATION_FLUSH };

const gunzip = (encoded: Bytes): Bytes => pipeline(encoded, createGunzip(zlibOptions), () => {});

const decoders = new Map<string, (encoded: Bytes) => Bytes>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', (encoded) => pipeline(encoded, createBrotliDecompress(brotliOptions), () => {})],
]);

/**
 * Reads a response body and decodes it as its `Content-Encoding` says.
 *
 * A body with an unknown coding is returned without decoding.
 * @throws {ApplicationFailure} `ResponseTooLarge` as soon as there are more than 64 KiB of decoded bytes.
 * @throws {ApplicationFailure} `InvalidResponse` if there are too many codings, or if the body cannot be decoded.
 * @throws {Error} if the body cannot be received.
 */
export async function readBody(body: Bytes, contentEncoding = ''): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of decode(body, contentEncoding)) {
    size += chunk.byteLength;
    if (size > maximumBytes)
      throw toAnswerFailure('ResponseTooLarge', `The upstream answered more than ${maximumBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function* decode(body: Bytes, contentEncoding: string): Bytes {
  const codings = contentEncoding.split(',').map((coding) => coding.trim().toLowerCase());
  if (codings.length > maximumCodings)
    throw toAnswerFailure('InvalidResponse', `The upstream answered more than ${maximumCodings} content codings`);
  if (!codings.every((coding) => decoders.has(coding))) return yield* body;
  let receiveError: unknown;
  async function* received() {
    try {
      yield* body;
    } catch (error) {
      receiveError = error;
      throw error;
    }
  }
  try {
    yield* codings.reduceRight((encoded: Bytes, coding) => decoders.get(coding)?.(encoded) ?? encoded, received());
  } catch {
    // Each decoder has its own error codes. A body that arrived and cannot be decoded is final, whatever its coding.
    throw receiveError ?? toAnswerFailure('InvalidResponse', 'The upstream answered a broken encoding');
  }
}

/** `deflate` is zlib's format, but some servers omit its header (RFC 9110). The first byte shows if it is there. */
async function* inflate(encoded: Bytes): Bytes {
  const chunks = encoded[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const hasHeader = ((first.value[0] ?? 0) & 0x0f) === 0x08;
  async function* all() {
    yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  yield* pipeline(all, hasHeader ? createInflate(zlibOptions) : createInflateRaw(zlibOptions), () => {});
}
