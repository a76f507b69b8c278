import { status } from '@grpc/grpc-js';
import {
  type ActivityExecutionInfo,
  type Client,
  Connection,
  isGrpcServiceError,
  ServiceError,
  Client as TemporalClient,
} from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { taskNames } from '../../../src/tasks.ts';
import { channelOptions } from '../../../src/temporal/connection.ts';
import { toEpochMs } from '../../../src/temporal/payloads.ts';
import type { ActivityFact, Execution } from '../types.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const readersAtOnce = 8;

/** Returns each activity's last attempt and end, from the events of a history. */
function toActivities(events: HistoryEvent[]): ActivityFact[] {
  const facts = new Map<string, ActivityFact>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const { indexes: items } = JSON.parse(Buffer.from(scheduled.input?.payloads?.[0]?.data ?? '{}').toString());
      const id = scheduled.activityId ?? '';
      facts.set(String(event.eventId), { id, attempt: 0, end: 'open', ...(items && { items }) });
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      const fact = facts.get(String(started.scheduledEventId));
      if (fact) fact.attempt = started.attempt ?? 0;
    }
    const ends = {
      completed: event.activityTaskCompletedEventAttributes,
      failed: event.activityTaskFailedEventAttributes,
      'timed-out': event.activityTaskTimedOutEventAttributes,
      cancelled: event.activityTaskCanceledEventAttributes,
    };
    for (const [end, attributes] of Object.entries(ends)) {
      const fact = attributes && facts.get(String(attributes.scheduledEventId));
      if (fact) fact.end = end as ActivityFact['end'];
    }
  }
  return [...facts.values()];
}

/** Returns the status of a workflow, under Temporal's names, from the last event of its history. */
function toStatus(last: HistoryEvent | undefined): string {
  if (last?.workflowExecutionCompletedEventAttributes) return 'COMPLETED';
  if (last?.workflowExecutionFailedEventAttributes) return 'FAILED';
  if (last?.workflowExecutionCanceledEventAttributes) return 'CANCELLED';
  if (last?.workflowExecutionTerminatedEventAttributes) return 'TERMINATED';
  return last?.workflowExecutionTimedOutEventAttributes ? 'TIMED_OUT' : 'RUNNING';
}

/** Reads an execution's status and times from its history, because Temporal's lists lag behind. */
export async function readExecution(client: Client, id: string, runId: string, type: string): Promise<Execution> {
  const { events } = await client.workflow.getHandle(id, runId).fetchHistory();
  const list = (events ?? []) as HistoryEvent[];
  const cancelled = list.find((event) => event.workflowExecutionCancelRequestedEventAttributes);
  const last = list.at(-1);
  const status = toStatus(last);
  return {
    id,
    runId,
    type,
    status,
    events: list.length,
    startedAt: toEpochMs(list[0]?.eventTime),
    ...(status !== 'RUNNING' && { closedAt: toEpochMs(last?.eventTime) }),
    ...(cancelled && { cancelRequestedAt: toEpochMs(cancelled.eventTime) }),
    activities: toActivities(list),
  };
}

/** Reads a standalone activity, which has no history. Its cancellation is confirmed only by its status. */
async function readActivity(client: Client, { activityId, activityRunId }: ActivityExecutionInfo): Promise<Execution> {
  const { status, attempt, activityType, scheduleTime, closeTime, canceledReason } = await client.activity
    .getHandle(activityId, activityRunId)
    .describe();
  const closedAs = status === 'CANCELED' ? 'CANCELLED' : status;
  const end = closedAs.toLowerCase().replace('_', '-') as ActivityFact['end'];
  return {
    id: activityId,
    runId: activityRunId,
    type: activityType,
    status: closedAs,
    isStandalone: true,
    ...(canceledReason && { isCancelRequested: true }),
    events: 0,
    startedAt: scheduleTime?.getTime() ?? 0,
    ...(closeTime && { closedAt: closeTime.getTime() }),
    activities: [{ id: activityId, attempt, end: closeTime ? end : 'open' }],
  };
}

/** A server before 1.32 has no standalone activities and does not know the call. */
function ignoreUnknownCall(error: unknown): void {
  const cause = error instanceof ServiceError ? error.cause : error;
  if (!isGrpcServiceError(cause) || cause.code !== status.UNIMPLEMENTED) throw error;
}

/**
 * Reads what Temporal says about every standalone activity, and what the history of every workflow says. Reads from the
 * server directly and not through the API, so that the proof does not depend on the API that it judges.
 */
export async function readExecutions(
  { address, namespace }: { address: string; namespace: string },
  onEach: (read: number) => void,
): Promise<Execution[]> {
  const connection = await Connection.connect({ address, channelArgs: channelOptions });
  try {
    const client = new TemporalClient({ connection, namespace });
    const all: Execution[] = [];
    const readAll = async <T>(list: AsyncIterable<T>, read: (listed: T) => Promise<Execution>) => {
      const queue = list[Symbol.asyncIterator]();
      const readers = Array.from({ length: readersAtOnce }, async () => {
        for (let next = await queue.next(); !next.done; next = await queue.next()) {
          all.push(await read(next.value));
          onEach(all.length);
        }
      });
      await Promise.all(readers);
    };
    await readAll(client.workflow.list(), ({ workflowId, runId, type }) =>
      readExecution(client, workflowId, runId, type),
    );
    const types = taskNames.map((name) => `'${name}'`).join(', ');
    const activities = client.activity.list(`ActivityType IN (${types})`);
    await readAll(activities, (listed) => readActivity(client, listed)).catch(ignoreUnknownCall);
    return all;
  } finally {
    await connection.close();
  }
}
