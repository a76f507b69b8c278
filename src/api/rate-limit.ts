import { getConnInfo } from '@hono/node-server/conninfo';
import { createMiddleware } from 'hono/factory';
import type { Config } from '../config.ts';
import type { ApiEnvironment } from './auth.ts';
import { Problem } from './problem.ts';

const windowMs = 60_000;
/** Owners are few, addresses are not: of more than so many the one whose window ends first is forgotten. */
const mostWindows = 10_000;

type Window = { used: number; endsAt: number };

/** The running window of each caller. All are of one length, so the order of insertion is that of ending. */
export function createWindows(now = () => performance.now(), most = mostWindows) {
  const windows = new Map<string, Window>();
  return {
    get size() {
      return windows.size;
    },
    of(caller: string): Window {
      for (const [other, { endsAt }] of windows) {
        if (endsAt > now() && (windows.size < most || windows.has(caller))) break;
        windows.delete(other);
      }
      const window = windows.get(caller) ?? { used: 0, endsAt: now() + windowMs };
      windows.set(caller, window);
      return window;
    },
    toSeconds: ({ endsAt }: Window) => Math.max(1, Math.ceil((endsAt - now()) / 1_000)),
  };
}

/**
 * Takes `rateLimit` submissions a minute of each key's owner, without keys of each address. One that started nothing, or only found
 * the task of an earlier one, is given back: what is limited is new tasks. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
 */
export function limitRate({ rateLimit, apiKeys }: Pick<Config, 'rateLimit' | 'apiKeys'>, now?: () => number) {
  const windows = createWindows(now);
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    if (rateLimit === 0) return next();
    const window = windows.of(apiKeys.length > 0 ? c.var.owner : (getConnInfo(c).remote.address ?? ''));
    const tell = () => {
      const seconds = windows.toSeconds(window);
      c.header('RateLimit-Policy', `"submissions";q=${rateLimit};w=${windowMs / 1_000}`);
      c.header('RateLimit', `"submissions";r=${rateLimit - window.used};t=${seconds}`);
      return seconds;
    };
    if (window.used >= rateLimit) {
      const seconds = tell();
      const detail = `${rateLimit} submissions a minute are taken; the next in ${seconds} s`;
      throw new Problem('rate-limited', detail, { outcome: 'not-started' }, { 'Retry-After': String(seconds) });
    }
    window.used += 1;
    tell();
    await next();
    const { isReplay, mayHaveStarted } = c.var;
    if (isReplay || (c.res.status >= 400 && !mayHaveStarted)) {
      window.used -= 1;
      tell();
    }
  });
}
