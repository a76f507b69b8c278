import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import type { ApiMetrics } from '../../metrics.ts';
import type { ApiEnvironment } from '../http/auth.ts';
import { toHeaders } from '../problems/headers.ts';
import { noQuery, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import type { Task } from '../views/schemas.ts';
import { requireTaskName } from '../views/task-id.ts';
import type { TaskView } from '../views/task-view.ts';
import { toStateId } from './poller.ts';
import type { Watcher } from './watch.ts';

/** Streams open at once in one process; each holds a connection. */
const mostStreams = 500;
/** Proxies cut a connection on which nothing moves, often after 30 s; and a client that vanished is noticed by writing to it. */
const heartbeatMs = 15_000;
/** How soon an EventSource comes back by itself. */
const retryMs = 2_000;

const events = createRoute({
  method: 'get',
  path: '/tasks/{id}/events',
  operationId: 'watchTask',
  tags: ['Tasks'],
  summary: 'Follow a task: an event `task` now and whenever it was seen changed, until it ends',
  description:
    'Server-sent events. The data of each is the `Task` as JSON, its id a fingerprint of that state; passing states may be skipped. ' +
    'The stream ends after the state in which the task ended, and also when this server stops: come back with `Last-Event-ID`, as ' +
    'every EventSource does, to be told only what is new. Lines that begin with a colon are heartbeats.',
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
    204: { description: 'The task has ended, and `Last-Event-ID` says that you know how: do not come back' },
    ...toResponses('unauthorized', 'not-found', 'temporal-unavailable', 'too-many-streams'),
  },
});

/** `GET /tasks/{id}/events`: what there is to say before the stream is said as for `GET /tasks/{id}`. */
export function createEventRoutes(
  { readTask }: Pick<TaskView, 'readTask'>,
  { watch }: Watcher,
  { openEventStreams }: Pick<ApiMetrics, 'openEventStreams'>,
) {
  let open = 0;
  const requireRoom = () => {
    if (open < mostStreams) return;
    const detail = `This process has ${mostStreams} event streams open; read the task instead, or try again`;
    throw new Problem('too-many-streams', detail);
  };
  const count = (change: 1 | -1) => {
    open += change;
    openEventStreams.set(open);
  };

  return new OpenAPIHono<ApiEnvironment>().openapi(events, async (c) => {
    const { id } = c.req.valid('param');
    const name = requireTaskName(c.var.owner, id);
    requireRoom();
    const task = await readTask(id, name);
    const isKnown = c.req.header('last-event-id') === toStateId(task);
    // An EventSource reconnects whenever a stream ends, and stops for good only at an answer like this one.
    if (isKnown && task.finishedAt) return c.body(null, 204);

    c.header('Content-Type', 'text/event-stream');
    c.header('X-Accel-Buffering', 'no');
    if (c.req.method === 'HEAD') return c.body(null, 200);
    // Others may have come while Temporal was asked.
    requireRoom();
    count(1);
    const states = watch(task);
    return stream(c, async (out) => {
      out.onAbort(states.close);
      await out.write(`retry: ${retryMs}\n\n${isKnown ? '' : toEvent(task)}`);
      if (task.finishedAt) states.close();
      while (states.isOpen) {
        const changed = await states.next(heartbeatMs);
        if (changed) await out.write(toEvent(changed));
        else if (states.isOpen) await out.write(': still open\n\n');
        if (changed?.finishedAt) states.close();
      }
      count(-1);
    });
  });
}

const toEvent = (task: Task) => `event: task\nid: ${toStateId(task)}\ndata: ${JSON.stringify(task)}\n\n`;
