import { timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { sha256 } from '../../config/api-keys.ts';
import type { Config } from '../../config/config.ts';
import { Problem } from '../problems/problem.ts';
import { markAuthenticated, toAddress } from './node-request.ts';

export type ApiEnvironment = {
  Variables: {
    requestId: string;
    owner: string;
    /** Whose submissions the rate limit counts: the owner, or the caller's address if no API keys are configured. */
    rateLimitKey: string;
  };
};

/** The owner of every task if no API keys are configured. */
const localOwner = 'local';

/**
 * Requires `Authorization: Bearer <secret>` (RFC 6750) and sets `owner` and `rateLimitKey` of the request. If no API
 * keys are configured, no header is needed and the owner is `local`. The hash of every key is compared, each in
 * constant time, so the time of an answer reveals nothing about a secret.
 */
export const requireApiKey = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    if (apiKeys.length === 0) {
      c.set('owner', localOwner);
      c.set('rateLimitKey', toAddress(c));
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
    markAuthenticated(c);
    const { owner } = matches[0];
    c.set('owner', owner);
    c.set('rateLimitKey', owner);
    return next();
  });

/**
 * Requires a key named in `OPERATORS`. If `OPERATORS` or `API_KEYS` is unset, every caller is an operator. Must follow
 * `requireApiKey`.
 */
export const requireOperator = ({ apiKeys, operators }: Pick<Config, 'apiKeys' | 'operators'>) =>
  createMiddleware<ApiEnvironment>(async (c, next) => {
    if (apiKeys.length > 0 && operators.length > 0 && !operators.includes(c.var.owner))
      throw new Problem('forbidden', 'OPERATORS does not have the name of this key');
    await next();
  });
