import { z } from 'zod';
import { Problem } from '../problems/problem.ts';

/**
 * Returns the cursor of a page: the filter of its list and the page's position in it, as JSON in base64url. It needs
 * no signature: the owner comes from the request, so a forged cursor shows nothing but the caller's own tasks.
 */
export const toCursor = (filter: object, position: unknown): string =>
  Buffer.from(JSON.stringify({ filter, position })).toString('base64url');

/** Returns the position in a cursor of this filter. @throws {Problem} 400 for any other text. */
export function parseCursor<P>(schema: z.ZodType<P>, filter: object, cursor: string): P {
  try {
    const { position } = z
      .looseObject({ position: schema })
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    // Node's decoder ignores what is not base64url, so compare the whole text. This compares the filter as well.
    if (toCursor(filter, position) === cursor) return position;
  } catch {
    // Neither JSON nor a position: refused like any other text.
  }
  throw toCursorProblem();
}

export function toCursorProblem(): Problem {
  const detail = 'is not a cursor of this list with these filters';
  return new Problem('bad-request', `#/cursor: ${detail}`, { errors: [{ pointer: '#/cursor', detail }] });
}
