import { timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { sha256 } from '../../config/api-keys.ts';
import type { Config } from '../../config/config.ts';
import { Problem } from '../problems/problem.ts';
import type { TakePlace } from './rate-limit.ts';

export type ApiEnvironment = {
  Variables: {
    owner: string;
    requestId: string;
    mayHaveStarted?: boolean;
    /** The submission was answered with the task that an earlier one under its key had started. */
    isReplay?: boolean;
    /** With a rate limit: what a start goes through. */
    takePlace?: TakePlace;
  };
};

/** The owner of all tasks where no API keys are set. */
const localOwner = 'local';

/**
 * Lets a request in by `Authorization: Bearer <secret>` (RFC 6750) and names its owner; without API keys everybody is
 * `local`. Hashes are compared, each in constant time and all of them, so that timing tells nothing about a secret.
 */
export const requireApiKey = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    if (apiKeys.length === 0) {
      c.set('owner', localOwner);
      return next();
    }
    const [, token] = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
    const hash = sha256(token ?? '');
    const matches = apiKeys.filter(({ secretHash }) => timingSafeEqual(secretHash, hash));
    if (!token || !matches[0]) {
      const challenge = `Bearer realm="holdfast"${token ? ', error="invalid_token"' : ''}`;
      throw new Problem('unauthorized', 'Send Authorization: Bearer <secret of an API key>', {
        headers: { 'WWW-Authenticate': challenge },
      });
    }
    c.set('owner', matches[0].owner);
    return next();
  });
