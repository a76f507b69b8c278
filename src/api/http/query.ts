import { createMiddleware } from 'hono/factory';
import type { z } from 'zod';
import { Problem, toValidationProblem } from '../problems/problem.ts';

/** Returns the parameters as `schema` parses them. @throws {Problem} 400 for an unknown, repeated or malformed one. */
export function toQuery<S extends z.ZodType>(schema: S, queries: Record<string, string[]>): z.output<S> {
  const single = Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  const { data, error } = schema.safeParse(Object.fromEntries(single));
  if (error) throw toValidationProblem('bad-request', error);
  return data as z.output<S>;
}

/** Answers 400 to a query parameter without a name, such as `?=1`. Hono's parser drops it, so no schema sees it. */
export const refuseNamelessParameter = createMiddleware(async (c, next) => {
  const [, query = ''] = c.req.url.split('?', 2);
  if (/(^|&)=/.test(query)) {
    const detail = 'a query parameter must have a name';
    throw new Problem('bad-request', `#/: ${detail}`, { errors: [{ pointer: '#/', detail }] });
  }
  await next();
});
