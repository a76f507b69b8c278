import type { Context } from 'hono';
import type { Caller } from '../../temporal/start-once.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { readTrace } from '../http/trace.ts';
import { readIdempotencyKey } from './idempotency.ts';

/** Who makes this submission, and how. @throws {Problem} 400 for a malformed `Idempotency-Key`. */
export function readCaller(c: Context<ApiEnvironment>): Caller {
  const { owner, takePlace } = c.var;
  return { owner, takePlace, idempotencyKey: readIdempotencyKey(c), trace: readTrace(c) };
}
