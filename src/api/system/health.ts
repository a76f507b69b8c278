import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Config } from '../../config/config.ts';
import { withDeadline } from '../../temporal/deadline.ts';
import { TemporalRefused } from '../../temporal/errors.ts';
import { TaskQueueType } from '../../temporal/payloads.ts';
import { noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import { createPollerCheck, pollerFreshMs } from './pollers.ts';

const status = (value: string, description: string) => toBody(z.object({ status: z.literal(value) }), description);

const health = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'readHealth',
  tags: ['Operation'],
  summary: 'Whether this process is alive',
  description: 'This call checks only the process: the answer is 200 even if Temporal does not answer.',
  security: [],
  request: { query: noQuery },
  responses: { 200: status('ok', 'The process is alive'), ...toResponses() },
});

const ready = createRoute({
  method: 'get',
  path: '/ready',
  operationId: 'readReadiness',
  tags: ['Operation'],
  summary: 'Whether tasks can run',
  description:
    'Tasks can run if Temporal answers, has the namespace and grants access, and if a worker has polled lately. The problem of a 503 says which of these conditions is not met.',
  security: [],
  request: { query: noQuery },
  responses: { 200: status('ready', 'Tasks can run'), ...toResponses('not-ready', 'temporal-unavailable') },
});

/** Creates `GET /health` and `GET /ready`. `/ready` needs Temporal and a worker that polled lately. */
export function createHealthRoutes({ client, config }: { client: Client; config: Config }) {
  const createReader = (taskQueueType: temporal.api.enums.v1.TaskQueueType) => {
    const isPolled = createPollerCheck();
    return async () => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: config.temporal.namespace,
        taskQueue: { name: config.taskQueue },
        taskQueueType,
      });
      return isPolled(pollers ?? []);
    };
  };
  const hasWorkflowPoller = createReader(TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW);
  const hasActivityPoller = createReader(TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY);

  const toDetail = ({ reason, message }: TemporalRefused) =>
    reason === 'namespace' ? `Temporal answers, but has no namespace ${config.temporal.namespace}` : message;

  return new OpenAPIHono()
    .openapi(health, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(ready, async (c) => {
      // Skips the queue of `temporal/admission.ts`: a probe that waits in it could report a healthy API as not ready.
      const polled = await withDeadline(() => Promise.all([hasWorkflowPoller(), hasActivityPoller()])).catch(
        (error: unknown) => {
          throw error instanceof TemporalRefused ? new Problem('not-ready', toDetail(error)) : error;
        },
      );
      if (!polled.every(Boolean)) {
        const detail = `Temporal answers, but no worker polled the task queue within ${pollerFreshMs / 1_000} s`;
        throw new Problem('not-ready', detail);
      }
      return c.json({ status: 'ready' as const }, 200);
    });
}
