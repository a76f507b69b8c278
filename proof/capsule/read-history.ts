import { z } from 'zod';
import { toHistoryText } from '../../src/temporal/payloads.ts';

/** Removes the fields with names of machines or with paths on machines. A replay does not need these fields. */
const withoutMachine = (key: string, value: unknown) => (['identity', 'stackTrace'].includes(key) ? undefined : value);

/** Returns a history as plain JSON for `Worker.runReplayHistory`, without fields that identify a machine. */
export const toHistoryJson = (history: Parameters<typeof toHistoryText>[0]): unknown =>
  JSON.parse(toHistoryText(history), withoutMachine);

/** How an attempt ended: with an output, or with a failure of type `type`. */
export type End = { output: unknown } | { type: string; upstreamStatus?: number };

const payloads = z
  .object({ payloads: z.array(z.object({ data: z.base64().optional() })) })
  .transform(({ payloads }) =>
    payloads.map(({ data }): unknown => (data ? JSON.parse(Buffer.from(data, 'base64').toString()) : undefined)),
  );
const durationMs = z
  .string()
  .regex(/^[\d.]+s$/)
  .transform((text) => Number.parseFloat(text) * 1_000);

const failure = z
  .object({
    source: z.string().optional(),
    applicationFailureInfo: z.object({ type: z.string().default('Error'), details: payloads.optional() }).optional(),
    timeoutFailureInfo: z.object({}).optional(),
  })
  .transform(({ source, applicationFailureInfo: own, timeoutFailureInfo: timeout }): End => {
    if (!own) return { type: timeout ? 'TemporalTimeout' : 'Cancelled' };
    if (source !== 'TypeScriptSDK') return { type: 'FailedByOperator' };
    const { upstreamStatus } = (own.details?.[0] ?? {}) as { upstreamStatus?: number };
    return { type: own.type, ...(upstreamStatus !== undefined && { upstreamStatus }) };
  });

const scheduled = z.object({
  activityType: z.object({ name: z.string() }),
  input: payloads,
  startToCloseTimeout: durationMs,
  heartbeatTimeout: durationMs,
  retryPolicy: z.object({
    initialInterval: durationMs,
    backoffCoefficient: z.number(),
    maximumInterval: durationMs,
    maximumAttempts: z.int(),
    nonRetryableErrorTypes: z.array(z.string()).default([]),
  }),
});

const events = z.array(
  z.object({
    workflowExecutionStartedEventAttributes: z.object({ workflowType: z.object({ name: z.string() }) }).optional(),
    activityTaskScheduledEventAttributes: scheduled.optional(),
    activityTaskStartedEventAttributes: z.object({ attempt: z.int(), lastFailure: failure.optional() }).optional(),
    activityTaskCompletedEventAttributes: z.object({ result: payloads }).optional(),
    activityTaskFailedEventAttributes: z.object({ failure }).optional(),
    activityTaskTimedOutEventAttributes: z.object({ failure }).optional(),
    activityTaskCanceledEventAttributes: z.object({}).optional(),
  }),
);

export type Past = {
  workflowType: string;
  /** The number of the last attempt in the history, or 0 if the history has no attempt. */
  attempts: number;
  /** How the activity was scheduled, or undefined if it never was. */
  activity?: z.output<typeof scheduled>;
  /** The known ends of attempts, by attempt number. The history keeps the ends of only the last two attempts. */
  ends: Map<number, End>;
};

/** Returns the type of a workflow, from the JSON of its history. */
export const readWorkflowType = (history: { events: { [key: string]: unknown }[] }): string =>
  z
    .object({ workflowType: z.object({ name: z.string() }) })
    .parse(history.events[0]?.workflowExecutionStartedEventAttributes).workflowType.name;

/**
 * Reads what the history of a task says about the task's attempts.
 * @throws {z.ZodError} for events without the fields that are read here.
 */
export function readHistory(history: { events: { [key: string]: unknown }[] }): Past {
  const past: Past = { workflowType: readWorkflowType(history), attempts: 0, ends: new Map() };
  for (const event of events.parse(history.events)) {
    if (event.activityTaskScheduledEventAttributes) past.activity = event.activityTaskScheduledEventAttributes;
    const started = event.activityTaskStartedEventAttributes;
    if (started) past.attempts = started.attempt;
    if (started?.lastFailure) past.ends.set(started.attempt - 1, started.lastFailure);
    const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
    if (failed) past.ends.set(past.attempts, failed.failure);
    if (event.activityTaskCanceledEventAttributes) past.ends.set(past.attempts, { type: 'Cancelled' });
    const completed = event.activityTaskCompletedEventAttributes;
    if (completed) past.ends.set(past.attempts, { output: completed.result[0] });
  }
  return past;
}
