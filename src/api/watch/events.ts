import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import type { Config } from '../../config/config.ts';
import type { ApiMetrics } from '../../telemetry/metrics.ts';
import type { Admission } from '../../temporal/admission.ts';
import { isPassing } from '../../temporal/errors.ts';
import { createShares } from '../../temporal/shares.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { toHeaders } from '../problems/headers.ts';
import { noQuery, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import type { Task } from '../views/schemas.ts';
import { requireTaskName } from '../views/task-id.ts';
import type { TaskView } from '../views/task-view.ts';
import { toStateId } from './poller.ts';
import type { Watcher } from './watch.ts';

/** The maximum number of open event streams in this process, because each holds a connection. The owners share them. */
const maximumStreams = 500;
/** Proxies close idle streams, often after 30 s. Heartbeats prevent this. If one cannot be sent, the client is gone. */
const heartbeatMs = 15_000;
/** How long an EventSource waits before it reconnects. */
const retryMs = 2_000;

const events = createRoute({
  method: 'get',
  path: '/tasks/{id}/events',
  operationId: 'watchTask',
  tags: ['Tasks'],
  summary: 'Follow a task: one event `task` now and one after each observed change, until the task ends',
  description:
    'The answer is a stream of server-sent events. The data of an event is the `Task` as JSON, and the id of the event is a fingerprint ' +
    'of that state. Short-lived states may be skipped. The stream ends after the final state of the task, and also when this server ' +
    'stops. Reconnect with `Last-Event-ID`, as every EventSource does, to receive only new states. While Temporal is unavailable, the ' +
    'stream starts without a state. Lines that begin with a colon are heartbeats.',
  request: {
    params: z.object({ id: z.string().describe('The id of a task') }),
    query: noQuery,
    headers: z.object({ 'Last-Event-ID': z.string().optional().describe('The id of the last event received') }),
  },
  responses: {
    200: {
      description: 'The stream',
      headers: toHeaders('X-Accel-Buffering'),
      content: { 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'The task has ended and `Last-Event-ID` names its final state: do not reconnect' },
    ...toResponses('unauthorized', 'not-found', 'rate-limited', 'too-many-streams'),
  },
});

type Dependencies = {
  admission: Pick<Admission, 'read'>;
  view: Pick<TaskView, 'readTask'>;
  watcher: Pick<Watcher, 'watch'>;
  metrics: Pick<ApiMetrics, 'openEventStreams'>;
  config: Pick<Config, 'apiKeys'>;
};

/**
 * Creates `GET /tasks/{id}/events`. Until the stream starts, errors are answered as for `GET /tasks/{id}`. Exception:
 * while Temporal is unavailable, the stream starts without a state, because an EventSource gives up after a 503. If the
 * task turns out to be missing, the stream ends, and the client gets a 404 when it reconnects.
 */
export function createEventRoutes({ admission, view, watcher, metrics: { openEventStreams }, config }: Dependencies) {
  const streams = createShares(() => maximumStreams, config);
  const toProblem = (owner: string) => {
    const why = streams.explain(owner, 'event streams are open');
    return new Problem('too-many-streams', `${why}; read the task instead, or try again`);
  };

  return new OpenAPIHono<ApiEnvironment>().openapi(events, async (c) => {
    const { id } = c.req.valid('param');
    const { owner } = c.var;
    const name = requireTaskName(owner, id);
    if (!streams.isFree(owner)) throw toProblem(owner);
    const task = await admission.read(c.var, () => view.readTask(id, name)).catch(orUnknown);
    const lastEventId = c.req.header('last-event-id');
    const isNew = task !== undefined && lastEventId !== toStateId(task);
    // An EventSource reconnects whenever its stream ends. A 204 tells it to stop.
    if (!isNew && task?.finishedAt) return c.body(null, 204);

    c.header('Content-Type', 'text/event-stream');
    c.header('X-Accel-Buffering', 'no');
    if (c.req.method === 'HEAD') return c.body(null, 200);
    // Check again, because other streams may have opened while the task was read.
    if (!streams.take(owner)) throw toProblem(owner);
    openEventStreams.inc();
    const changes = task ? watcher.watch(owner, task) : watcher.watch(owner, { id, name }, lastEventId);
    return stream(c, async (out) => {
      out.onAbort(changes.close);
      await out.write(`retry: ${retryMs}\n\n${isNew ? toEvent(task) : ''}`);
      if (task?.finishedAt) changes.close();
      while (changes.isOpen) {
        const changed = await changes.next(heartbeatMs);
        if (changed) await out.write(toEvent(changed));
        else if (changes.isOpen) await out.write(': still open\n\n');
        if (changed?.finishedAt) changes.close();
      }
      streams.release(owner);
      openEventStreams.dec();
    });
  });
}

/** Returns `undefined` if Temporal or this process is too busy for the read. Throws every other error again. */
function orUnknown(error: unknown): undefined {
  if (!isPassing(error)) throw error;
}

const toEvent = (task: Task) => `event: task\nid: ${toStateId(task)}\ndata: ${JSON.stringify(task)}\n\n`;
