import canonicalize from 'canonicalize';
import type { Context } from 'hono';
import { sha256 } from '../../config/api-keys.ts';
import { Problem } from '../problems/problem.ts';

const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * The request's `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), an opaque text; `undefined` without
 * one.
 * @throws {Problem} 400 unless it is 1 to 255 visible ASCII characters. A key that is sent twice has a blank: Node
 * joins the two.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || keyPattern.test(key)) return key;
  const detail = 'must be sent once, as 1 to 255 visible ASCII characters without blanks';
  throw new Problem('bad-request', `Idempotency-Key ${detail}`);
}

/**
 * A hash of what a submission asks for. A second submission under the same key must have the same hash. The body
 * counts as it was received, before the schema's defaults, in canonical form (RFC 8785): the order of members and
 * blanks do not matter.
 */
export const toFingerprint = (asked: { body: unknown; delaySeconds: number; rerunOf?: string | undefined }) =>
  sha256(canonicalize(asked) ?? '').toString('hex');
