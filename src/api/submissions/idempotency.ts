import canonicalize from 'canonicalize';
import type { Context } from 'hono';
import { sha256 } from '../../config/api-keys.ts';
import { Problem } from '../problems/problem.ts';

const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * Returns the request's `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) as it was sent, or `undefined`
 * if there is no such header.
 * @throws {Problem} 400 unless the key is 1 to 255 visible ASCII characters. Two such headers also get 400, because
 *   Node joins their values with a comma and a space, and a space is not a visible character.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || keyPattern.test(key)) return key;
  const detail = 'must be sent once, as 1 to 255 visible ASCII characters without blanks';
  throw new Problem('bad-request', `Idempotency-Key ${detail}`);
}

/**
 * Returns a hash of what a submission asks for, in hex. A submission that repeats an idempotency key is refused unless
 * it has the same hash as the first one. The hash covers the body as received, before the schema adds defaults. The
 * body is hashed in canonical form (RFC 8785), so whitespace and the order of members do not matter.
 */
export const toFingerprint = (asked: { body: unknown; delaySeconds: number; rerunOf?: string | undefined }) =>
  sha256(canonicalize(asked) ?? '').toString('hex');
