import { createHmac, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { type ApiKey, sha256 } from '../../config/api-keys.ts';
import { Problem } from '../problems/problem.ts';

/** Without API keys everyone is the one owner, and a forged cursor shows no more than the list itself: anybody may know this. */
const withoutApiKeys = sha256('the cursors of an API without keys');

/**
 * The cursors of one owner's list under one filter: none of another owner or filter is taken, and none that was changed. The first of
 * the owner's secrets signs and any of them verifies: a cursor outlives the beginning of a rotation, and counts in every API process.
 */
export function createCursors<P>(position: z.ZodType<P>, apiKeys: ApiKey[], owner: string, filter: string) {
  const ofOwner = apiKeys.filter((key) => key.owner === owner).map(({ secretHash }) => secretHash);
  const [signing = withoutApiKeys, ...others] = ofOwner;
  const sign = (secret: Buffer, text: string) => {
    const key = createHmac('sha256', secret).update('holdfast list cursor').digest();
    return createHmac('sha256', key).update(`${filter} ${text}`).digest('base64url');
  };

  return {
    toCursor(where: P): string {
      const text = Buffer.from(JSON.stringify(where)).toString('base64url');
      return `${text}.${sign(signing, text)}`;
    },

    /** @throws {Problem} `bad-request` for every cursor that is not one of these. */
    parseCursor(cursor: string): P {
      const [, text = '', signature = ''] = /^([\w-]+)\.([\w-]{43})$/.exec(cursor) ?? [];
      const isOurs = [signing, ...others].some(
        (secret) => signature && timingSafeEqual(Buffer.from(sign(secret, text)), Buffer.from(signature)),
      );
      if (!isOurs) throw toCursorProblem();
      try {
        return position.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
      } catch {
        throw toCursorProblem();
      }
    },
  };
}

export function toCursorProblem(): Problem {
  const detail = 'is not a cursor of this list with these filters';
  return new Problem('bad-request', `#/cursor: ${detail}`, { errors: [{ pointer: '#/cursor', detail }] });
}
