import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import type { Config } from '../../config/config.ts';
import { createLossCheck } from '../../embedded/database.ts';
import { findDatabaseFault, type ReportedFault, toFaultDetail } from '../../embedded/faults.ts';
import { withDeadline } from '../../temporal/deadline.ts';
import { findGrpcError, TemporalRefused } from '../../temporal/errors.ts';
import { TaskQueueType } from '../../temporal/payloads.ts';
import type { WriteCheck } from '../../temporal/write-check.ts';
import { noQuery, toBody, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import { createPollerCheck, embeddedSilentMs, pollerFreshMs } from './pollers.ts';

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
    'Tasks can run if Temporal answers, has the namespace, grants access and accepts writes, and if a worker has polled lately. The problem of a 503 says which of these conditions is not met.',
  security: [],
  request: { query: noQuery },
  responses: { 200: status('ready', 'Tasks can run'), ...toResponses('not-ready', 'temporal-unavailable') },
});

type Dependencies = {
  client: Client;
  config: Config;
  writes: Pick<WriteCheck, 'check'>;
  reported?: Pick<ReportedFault, 'read'> | undefined;
};

const lostDetail =
  'The database of the embedded Temporal server was removed or replaced while the server ran. Accepted tasks are lost when the server ends';

/** Creates `GET /health` and `GET /ready`. `/ready` needs writes to Temporal and a worker that polled lately. */
export function createHealthRoutes({ client, config, writes, reported }: Dependencies) {
  const createReader = (taskQueueType: temporal.api.enums.v1.TaskQueueType) => {
    const isPolled = createPollerCheck(config.embedded && { silentMs: embeddedSilentMs });
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

  const isLost = config.embedded ? createLossCheck(config.dataDir) : () => false;

  /** Returns why Temporal makes no write. Names the fault that the server reported, if this process knows it. */
  const toWriteDetail = (error: unknown) => {
    const fault = reported?.read() ?? findDatabaseFault(findGrpcError(error)?.details ?? '');
    return fault ? toFaultDetail(fault) : 'Temporal answers, but makes no writes, so no task can be accepted';
  };

  const toDetail = ({ reason, message }: TemporalRefused) =>
    reason === 'namespace' ? `Temporal answers, but has no namespace ${config.temporal.namespace}` : message;

  /** @throws {Problem} a `not-ready` that says why tasks cannot run. */
  async function requireReady(): Promise<void> {
    // Skips the queue of `temporal/admission.ts`: a probe that waits in it could report a healthy API as not ready.
    const writeError = writes.check().then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const polled = await withDeadline(() => Promise.all([hasWorkflowPoller(), hasActivityPoller()])).catch(
      (error: unknown) => {
        throw error instanceof TemporalRefused ? new Problem('not-ready', toDetail(error)) : error;
      },
    );
    const failed = await writeError;
    if (failed) throw new Problem('not-ready', toWriteDetail(failed.error));
    // A malformed database fails only some calls, but it can lose any task.
    if (reported?.read() === 'malformed') throw new Problem('not-ready', toFaultDetail('malformed'));
    if (isLost()) throw new Problem('not-ready', lostDetail);
    if (!polled.every(Boolean)) {
      const detail = `Temporal answers, but no worker polled the task queue within ${pollerFreshMs / 1_000} s`;
      throw new Problem('not-ready', detail);
    }
  }

  /** The check in progress. Requests at the same time share it, so strangers cannot make many calls to Temporal. */
  let checking: Promise<void> | undefined;

  return new OpenAPIHono()
    .openapi(health, (c) => c.json({ status: 'ok' as const }, 200))
    .openapi(ready, async (c) => {
      checking ??= requireReady().finally(() => {
        checking = undefined;
      });
      await checking;
      return c.json({ status: 'ready' as const }, 200);
    });
}
