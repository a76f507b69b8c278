import type { Context } from 'hono';
import { taskNames } from '../../tasks.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';

/** Answers 405 to any method but POST on a task name's path. Otherwise `/tasks/{id}` would take the name for an id. */
export function requirePost(): never {
  throw toMethodProblem(['POST']);
}

/**
 * Answers a POST to an unknown name with a 404 that lists the task names. Without this route the answer would be 405.
 * Add it after the other routes.
 */
export function refuseUnknownName(c: Context): Response | Promise<Response> {
  if (c.req.method !== 'POST') return c.notFound();
  throw new Problem('not-found', `There is no task of this name. The names are: ${taskNames.join(', ')}`);
}
