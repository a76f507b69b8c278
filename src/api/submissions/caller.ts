import type { Context } from 'hono';
import type { TraceContext } from '../../tasks.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { readTrace } from '../http/trace.ts';
import { readIdempotencyKey } from './idempotency.ts';

/**
 * The owner of a submission and what the headers of its request say. `rateLimitKey` is the owner, or the caller's
 * address if there are no API keys.
 */
export type Caller = { owner: string; rateLimitKey: string; idempotencyKey: string | undefined; trace: TraceContext };

/** Returns the caller of a submission. @throws {Problem} 400 for a malformed `Idempotency-Key`. */
export function readCaller(c: Context<ApiEnvironment>): Caller {
  const { owner, rateLimitKey } = c.var;
  return { owner, rateLimitKey, idempotencyKey: readIdempotencyKey(c), trace: readTrace(c) };
}
