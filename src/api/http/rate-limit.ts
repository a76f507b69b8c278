import { getConnInfo } from '@hono/node-server/conninfo';
import { createMiddleware } from 'hono/factory';
import type { Config } from '../../config/config.ts';
import { Problem, toProblem } from '../problems/problem.ts';
import type { ApiEnvironment } from './auth.ts';

const windowMs = 60_000;
/** Owners are few, addresses are not: of more than so many the one whose window ends first is forgotten. */
const mostWindows = 10_000;

/** `starting` has the ids of the tasks that are being started at this moment, and how many submissions are about each. */
type Window = { used: number; starting: Map<string, number>; endsAt: number };

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
      const window = windows.get(caller) ?? { used: 0, starting: new Map(), endsAt: now() + windowMs };
      windows.set(caller, window);
      return window;
    },
    toSeconds: ({ endsAt }: Window) => Math.max(1, Math.ceil((endsAt - now()) / 1_000)),
  };
}

/** Runs `start`, which starts the task of this id, in a place of the caller's; it gives whether it did. */
export type TakePlace = <T>(id: string, start: () => Promise<T>, isNew: (started: T) => boolean) => Promise<T>;

/**
 * Takes `rateLimit` submissions a minute of each key's owner, without keys of each address. What is limited is new tasks: a place is
 * taken only by the start itself (`takePlace`), all submissions under one idempotency key share it, and one that started nothing
 * gives it back. The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
 */
export function limitRate({ rateLimit, apiKeys }: Pick<Config, 'rateLimit' | 'apiKeys'>, now?: () => number) {
  const windows = createWindows(now);
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    if (rateLimit === 0) return next();
    const window = windows.of(apiKeys.length > 0 ? c.var.owner : (getConnInfo(c).remote.address ?? ''));
    const { starting } = window;
    const tell = () => {
      const left = Math.max(0, rateLimit - window.used - starting.size);
      c.header('RateLimit-Policy', `"submissions";q=${rateLimit};w=${windowMs / 1_000}`);
      c.header('RateLimit', `"submissions";r=${left};t=${windows.toSeconds(window)}`);
    };
    const refuse = (seconds: number): never => {
      const detail = `${rateLimit} submissions a minute are taken; the next in ${seconds} s`;
      throw new Problem('rate-limited', detail, { headers: { 'Retry-After': String(seconds) } });
    };
    const takePlace: TakePlace = async (id, start, isNew) => {
      // Places of starts under way may be given back in a moment.
      if (!starting.has(id) && window.used + starting.size >= rateLimit)
        refuse(window.used >= rateLimit ? windows.toSeconds(window) : 1);
      starting.set(id, (starting.get(id) ?? 0) + 1);
      let isUsed = false;
      try {
        const started = await start();
        isUsed = isNew(started);
        return started;
      } catch (error) {
        isUsed = toProblem(error).outcome === 'unknown';
        throw error;
      } finally {
        const others = (starting.get(id) ?? 1) - 1;
        if (others > 0) starting.set(id, others);
        else starting.delete(id);
        if (isUsed) window.used += 1;
        tell();
      }
    };
    tell();
    if (window.used >= rateLimit) refuse(windows.toSeconds(window));
    c.set('takePlace', takePlace);
    await next();
  });
}
