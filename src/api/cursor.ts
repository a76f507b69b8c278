import { z } from '@hono/zod-openapi';
import { Problem } from './problem.ts';

export type Phase = 'open' | 'closed';
/** Where a page begins: the open ones come first, and Temporal's own token says how far in them or in the finished. */
export type Position = { phase: Phase; token: string };
const cursorSchema = z.strictObject({ phase: z.enum(['open', 'closed']), token: z.base64(), filter: z.string() });

/** A cursor is bound to the filter that it was made with. */
export const toCursor = (cursor: z.infer<typeof cursorSchema>) =>
  Buffer.from(JSON.stringify(cursor)).toString('base64url');

/** @throws {Problem} `bad-request` for every cursor that is not one of ours with this filter. */
export function parseCursor(cursor: string, filter: string, start: Phase): Position {
  try {
    const parsed = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    // Our own cursors go on in a phase, or lead from the open ones, all read, to the finished.
    const goesOn = parsed.token !== '' && (parsed.phase === start || leadsOver(filter));
    const begins = parsed.token === '' && parsed.phase === 'closed' && leadsOver(filter);
    if (parsed.filter === filter && (goesOn || begins)) return parsed;
  } catch {
    // falls through to the one answer for every cursor that is not ours
  }
  throw toCursorProblem();
}

/** Only a list of every status has both phases. */
const leadsOver = (filter: string) => filter.endsWith(':');

export function toCursorProblem(): Problem {
  const detail = 'is not a cursor of this list with these filters';
  return new Problem('bad-request', `#/cursor: ${detail}`, { errors: [{ pointer: '#/cursor', detail }] });
}
