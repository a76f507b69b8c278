import { toAnswerFailure } from './failure.ts';

/**
 * Parses the whole body of a 200 answer.
 * @throws {ApplicationFailure} `TruncatedResponse` (retryable) if the JSON stops in the middle.
 * @throws {ApplicationFailure} `InvalidResponse` (final) if the body is empty, not JSON or not UTF-8.
 */
export function parseJson(body: Uint8Array, jitter: number): unknown {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  try {
    // With `stream`, the decoder keeps back an incomplete last character. Without `stream`, the decoder would throw.
    text = decoder.decode(body, { stream: true });
    const value: unknown = JSON.parse(text);
    decoder.decode();
    return value;
  } catch (error) {
    if (error instanceof SyntaxError && stopsInTheMiddle(text)) {
      throw toAnswerFailure('TruncatedResponse', 'The upstream answered JSON that stops in the middle', jitter);
    }
    const what = body.byteLength === 0 ? 'nothing' : 'something other than JSON';
    throw toAnswerFailure('InvalidResponse', `The upstream answered ${what}`);
  }
}

const opener = { '}': '{', ']': '[' } as const;

/** Matches a string (with or without its end), a bracket, or a sequence of other characters. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\]]|[^"{}[\]]+/gs;

/** Returns whether a text that JSON.parse refused starts with an object or array that is never closed. */
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
