import { createMiddleware } from 'hono/factory';
import { Problem } from '../api/problems/problem.ts';
import type { Config } from '../config/config.ts';
import { callTemporal } from './calls.ts';

/**
 * The tasks that are being started at this moment, `maxInFlight` at most: a further one is refused at once instead of queued, of
 * which nothing was started. Only the start itself counts, neither a body that comes slowly nor a wait for the task's end.
 */
export function createStarts({ maxInFlight }: Pick<Config, 'maxInFlight'>) {
  let inFlight = 0;
  const requireRoom = () => {
    if (inFlight < maxInFlight) return;
    throw new Problem('overloaded', 'Too many tasks are being started at this moment; try again');
  };
  return {
    /** Refuses before the body is read. */
    shedLoad: createMiddleware(async (_, next) => {
      requireRoom();
      await next();
    }),
    /** As `callTemporal`, for the call that starts a task. */
    async start<T>(work: () => Promise<T>): Promise<T> {
      requireRoom();
      inFlight += 1;
      try {
        return await callTemporal(work);
      } finally {
        inFlight -= 1;
      }
    },
  };
}

export type Starts = ReturnType<typeof createStarts>;
