import { z } from 'zod';
import { Problem } from '../problems/problem.ts';

/**
 * Returns the cursor of a page: the filter of a list and a position in the list, as JSON in base64url. The cursor is
 * not signed: it does not select the owner, so even a forged cursor can show only the caller's own tasks.
 */
export const toCursor = (filter: object, position: unknown): string =>
  Buffer.from(JSON.stringify({ filter, position })).toString('base64url');

/** Returns the position in `cursor`. @throws {Problem} 400 unless `toCursor` returns this `cursor` for `filter`. */
export function parseCursor<P>(schema: z.ZodType<P>, filter: object, cursor: string): P {
  try {
    const { position } = z
      .looseObject({ position: schema })
      .parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    // Node's decoder skips characters outside base64url, so compare the encoded text. It also contains the filter.
    if (toCursor(filter, position) === cursor) return position;
  } catch {
    // The text is not JSON or has no valid position.
  }
  throw toCursorProblem();
}

/** Returns the 400 for a cursor that does not belong to the list. */
export function toCursorProblem(): Problem {
  const detail = 'is not a cursor of this list with these filters';
  return new Problem('bad-request', `#/cursor: ${detail}`, { errors: [{ pointer: '#/cursor', detail }] });
}
