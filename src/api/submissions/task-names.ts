import type { Context } from 'hono';
import { taskNames } from '../../tasks.ts';
import { Problem, toMethodProblem } from '../problems/problem.ts';

/** Answers 405 to any method but POST on a task name's path. Without this route, the name would count as an id. */
export function requirePost(): never {
  throw toMethodProblem(['POST']);
}

/**
 * Answers a POST to an unknown name with a 404 that lists the task names. Without this route the answer would be 405,
 * because the path of `GET /tasks/{id}` matches. Add this route after the others, so that they match first.
 */
export function refuseUnknownName(c: Context): Response | Promise<Response> {
  if (c.req.method !== 'POST') return c.notFound();
  throw new Problem('not-found', `There is no task of this name. The names are: ${taskNames.join(', ')}`);
}
