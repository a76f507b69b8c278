import { z } from '@hono/zod-openapi';
import { problems } from './problem.ts';
import { problemSchema } from './schemas.ts';

/** For routes without query parameters: any is an error, not ignored. */
export const noQuery = z.strictObject({});

/** The problem answers of a route, documented by status. */
export const toResponses = (...statuses: number[]) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: Object.values(problems).find((problem) => problem.status === status)?.title ?? 'Problem',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );

export const documentInfo = {
  openapi: '3.1.0',
  info: {
    title: 'Holdfast',
    version: '1',
    description: 'Submit a task, and it survives failing upstreams, timeouts, killed workers and killed servers.',
  },
};
