import { createMiddleware } from 'hono/factory';
import type { Config } from '../../config/config.ts';
import { findRefusal } from '../../loopback.ts';
import { Problem } from '../problems/problem.ts';

/**
 * Refuses calls that a browser makes for a foreign page. A state-changing call from another origin gets 403. If no API
 * keys are configured, every call to a host other than loopback gets 421.
 */
export const guardOrigin = ({ apiKeys }: Pick<Config, 'apiKeys'>) =>
  createMiddleware(async (c, next) => {
    const refusal = findRefusal(c.req, { loopbackOnly: apiKeys.length === 0 });
    if (refusal) throw new Problem(refusal.slug, refusal.detail);
    await next();
  });
