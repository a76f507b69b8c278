import { createRoute, z } from '@hono/zod-openapi';
import { problems } from './problem.ts';
import { problemSchema } from './schemas.ts';

/** For routes without query parameters: any is an error, not ignored. */
export const noQuery = z.strictObject({});

/** What any call may be answered; and any POST. 405 and 431 belong to no operation. */
const anyCall = [400, 414, 421, 500];
export const anyPost = [403, 408, 413];

/** The problem answers of a route, documented by status: these, and those of any call. */
export const toResponses = (...statuses: number[]) =>
  Object.fromEntries(
    [...anyCall, ...statuses].map((status) => [
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

export const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  summary: 'This document',
  security: [],
  request: { query: noQuery },
  responses: {
    200: {
      description: 'The API as OpenAPI 3.1',
      content: { 'application/json': { schema: z.looseObject({ openapi: z.string() }) } },
    },
    ...toResponses(),
  },
});

export const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'What this process counted and measured, for Prometheus',
  request: { query: noQuery },
  responses: {
    200: { description: 'Samples in Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } },
    ...toResponses(401),
  },
});
