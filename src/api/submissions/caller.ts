import type { Context } from 'hono';
import type { TraceContext } from '../../tasks.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { readTrace } from '../http/trace.ts';
import { readIdempotencyKey } from './idempotency.ts';

/** Who makes a submission, and how. `rateLimitKey` is the owner, or the address where there are no API keys. */
export type Caller = {
  owner: string;
  rateLimitKey: string;
  idempotencyKey: string | undefined;
  trace: TraceContext;
};

/** @throws {Problem} 400 for a malformed `Idempotency-Key`. */
export function readCaller(c: Context<ApiEnvironment>): Caller {
  const { owner, rateLimitKey } = c.var;
  return { owner, rateLimitKey, idempotencyKey: readIdempotencyKey(c), trace: readTrace(c) };
}
