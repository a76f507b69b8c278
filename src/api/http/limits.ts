import { createMiddleware } from 'hono/factory';
import type { Admission } from '../../temporal/admission.ts';
import { Problem } from '../problems/problem.ts';
import type { ApiEnvironment } from './auth.ts';
import { toTarget } from './node-request.ts';

export const maximumBodyBytes = 64 * 1024;
/** All inputs of a batch go to Temporal in one request. Temporal refuses 2.2 MB (measured), so stay below that. */
export const maximumBatchBytes = 1536 * 1024;
/** The bytes of all bodies in memory together. The owners share them. Further requests with a body are refused. */
export const maximumBufferedBytes = 64 * 1024 * 1024;
export const maximumUrlLength = 8 * 1024;
/** Node enforces this maximum and `requestTimeoutMs`. If a request exceeds either, `listen.ts` answers, not the app. */
export const maximumHeaderBytes = 16 * 1024;
export const requestTimeoutMs = 15_000;

/** Answers 414 to a URL that is too long. */
export const limitUrl = createMiddleware(async (c, next) => {
  if (toTarget(c).length > maximumUrlLength)
    throw new Problem('uri-too-long', `A URL has at most ${maximumUrlLength} characters`);
  await next();
});

/** Answers 429 to a read of a caller who has used up `READ_RATE_LIMIT`. */
export const limitReads = ({ requireReads }: Pick<Admission, 'requireReads'>) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') requireReads(c.var.rateLimitKey);
    await next();
  });
