import { toAttemptFailure } from './failure.ts';

/**
 * Parses the whole body of a 200 answer.
 * @throws {ApplicationFailure} `TruncatedResponse` (retryable) for JSON that stops in the middle, `InvalidResponse`
 *   (final) for nothing, other than JSON, and bytes that are not UTF-8.
 */
export function parseJson(body: Uint8Array, jitter: number): unknown {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    // `stream` holds back a last character that was cut in two, so that what came before it is judged.
    text = decoder.decode(body, { stream: true });
    const value: unknown = JSON.parse(text);
    decoder.decode();
    return value;
  } catch (error) {
    if (error instanceof SyntaxError && stopsInTheMiddle(text)) {
      throw toAttemptFailure('TruncatedResponse', 'The upstream answered JSON that stops in the middle', {
        upstreamStatus: 200,
        jitter,
      });
    }
    const what = body.byteLength === 0 ? 'nothing' : 'something other than JSON';
    throw toAttemptFailure('InvalidResponse', `The upstream answered ${what}`, { upstreamStatus: 200 });
  }
}

const opener = { '}': '{', ']': '[' } as const;
/** A string (perhaps without its end), a bracket, or a stretch of anything else. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\]]|[^"{}[\]]+/gs;

/** Whether text that JSON.parse refused begins as an object or array that is never closed. */
export function stopsInTheMiddle(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  const open: string[] = [];
  for (const [part] of text.matchAll(token)) {
    if (part === '{' || part === '[') open.push(part);
    if (part === '}' || part === ']') {
      if (open.pop() !== opener[part] || open.length === 0) return false;
    }
  }
  return true;
}
