import type { Context } from 'hono';
import { taskNames } from '../../tasks.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';

/** Refuses other methods on the path of a task name. Otherwise a route for ids would take the name for an id. */
export function requirePost(): never {
  throw toMethodProblem(['POST']);
}

/** Answers a POST to an unknown name with a 404 that lists the names, not a 405. Add it after the other routes. */
export function refuseUnknownName(c: Context): Response | Promise<Response> {
  if (c.req.method !== 'POST') return c.notFound();
  throw new Problem('not-found', `There is no such task; there are: ${taskNames.join(', ')}`);
}
