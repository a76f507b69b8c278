import { type Client, Connection, Client as TemporalClient } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { toEpochMs } from '../../../src/temporal/client.ts';
import type { ActivityFact, Execution } from '../types.ts';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

const readersAtOnce = 8;

/** What the events say of each activity: its last attempt and its end. */
function toActivities(events: HistoryEvent[]): ActivityFact[] {
  const facts = new Map<string, ActivityFact>();
  for (const event of events) {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) facts.set(String(event.eventId), { id: scheduled.activityId ?? '', attempt: 0, end: 'open' });
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

/** How the history ends, in Temporal's words for the status. */
function toStatus(last: HistoryEvent | undefined): string {
  if (last?.workflowExecutionCompletedEventAttributes) return 'COMPLETED';
  if (last?.workflowExecutionFailedEventAttributes) return 'FAILED';
  if (last?.workflowExecutionCanceledEventAttributes) return 'CANCELLED';
  if (last?.workflowExecutionTerminatedEventAttributes) return 'TERMINATED';
  return last?.workflowExecutionTimedOutEventAttributes ? 'TIMED_OUT' : 'RUNNING';
}

/** By its history alone, for lists are behind it. */
async function readExecution(client: Client, id: string, runId: string, type: string): Promise<Execution> {
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

/**
 * The third record: every workflow that Temporal knows, whoever started it, with what its history says. Read from the server itself, not
 * through Holdfast: the proof must not rest on what it is about.
 */
export async function readExecutions(
  { address, namespace }: { address: string; namespace: string },
  onEach: (read: number) => void,
): Promise<Execution[]> {
  const connection = await Connection.connect({ address });
  try {
    const client = new TemporalClient({ connection, namespace });
    const all: Execution[] = [];
    const list = client.workflow.list();
    const queue = list[Symbol.asyncIterator]();
    await Promise.all(
      Array.from({ length: readersAtOnce }, async () => {
        for (;;) {
          const { value, done } = await queue.next();
          if (done) return;
          all.push(await readExecution(client, value.workflowId, value.runId, value.type));
          onEach(all.length);
        }
      }),
    );
    return all;
  } finally {
    await connection.close();
  }
}
