import type { Context } from 'hono';
import { taskNames } from '../../tasks.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';

/** Answers 405 to methods other than POST on a task name's path. Otherwise `/tasks/{id}` would take it for an id. */
export function requirePost(): never {
  throw toMethodProblem(['POST']);
}

/**
 * Answers 404 with a list of the task names to a POST to an unknown name. Without this route the answer would be 405.
 * Add it after the other routes.
 */
export function refuseUnknownName(c: Context): Response | Promise<Response> {
  if (c.req.method !== 'POST') return c.notFound();
  throw new Problem('not-found', `There is no task of this name. The names are: ${taskNames.join(', ')}`);
}
