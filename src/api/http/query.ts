import type { z } from 'zod';
import { toValidationProblem } from '../problems/problem.ts';

/** @throws {Problem} 400 for an unknown, repeated or malformed parameter. */
export function toQuery<S extends z.ZodType>(schema: S, queries: Record<string, string[]>): z.output<S> {
  const single = Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  const { data, error } = schema.safeParse(Object.fromEntries(single));
  if (error) throw toValidationProblem('bad-request', error);
  return data as z.output<S>;
}
