import { type Client, WorkflowExecutionAlreadyStartedError, type WorkflowStartOptions } from '@temporalio/client';
import type { TakePlace } from '../api/http/rate-limit.ts';
import { Problem } from '../api/problems/problem.ts';
import type { Config } from '../config/config.ts';
import { type Submission, workflowTaskTimeoutMs } from '../contract.ts';
import type { TraceContext } from '../tasks.ts';
import { createRetention } from './retention.ts';
import type { Starts } from './starts.ts';

/** Who submits, and how. */
export type Caller = {
  owner: string;
  idempotencyKey: string | undefined;
  trace: TraceContext;
  takePlace: TakePlace | undefined;
};

/** What is started. */
type Start<T> = Submission & {
  id: string;
  /** What the caller is told of a new one. */
  fresh: T;
  /** What was started under this id before, and its fingerprint. */
  readFirst: () => Promise<{ value: T; fingerprint: string | undefined }>;
} & Pick<WorkflowStartOptions, 'startDelay' | 'priority'>;

export type Started<T> = {
  value: T;
  /** Whether an earlier submission under the same key had started it. */
  isReplay: boolean;
  /** The answer's headers about this submission. */
  headers: Record<string, string>;
};

/**
 * Starts a workflow: with an idempotency key at most one, whoever else submits under the same key, in whatever process, for the key
 * decides the workflow's id and Temporal refuses a second run of it.
 */
export function createStartOnce({ client, config, starts }: { client: Client; config: Config; starts: Starts }) {
  const readRetentionMs = createRetention(client, config.temporal.namespace);

  return async <T extends { finishedAt?: string | undefined }>(
    { idempotencyKey, takePlace }: Pick<Caller, 'idempotencyKey' | 'takePlace'>,
    { id, type, fresh, readFirst, memo, ...options }: Start<T>,
  ): Promise<Started<T>> => {
    /** What was started under this key before, if the two submissions are the same. */
    const requireSame = async (): Promise<T> => {
      const { value, fingerprint } = await readFirst();
      if (memo.fingerprint === fingerprint) return value;
      const detail = 'Another submission was made under this Idempotency-Key; it is untouched';
      throw new Problem('idempotency-mismatch', detail);
    };
    const start = () =>
      client.workflow.start(type, {
        workflowId: id,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        taskQueue: config.taskQueue,
        workflowTaskTimeout: workflowTaskTimeoutMs,
        memo,
        ...options,
      });
    const startOrReadFirst = () =>
      starts.start(() =>
        start().then(
          () => undefined,
          (error: unknown) => {
            if (error instanceof WorkflowExecutionAlreadyStartedError) return requireSame();
            throw error;
          },
        ),
      );
    // Beside the start, not behind it: one after the other may take longer than the caller shall wait.
    const retention = idempotencyKey === undefined ? undefined : readRetentionMs();
    const first = takePlace
      ? await takePlace(id, startOrReadFirst, (earlier) => earlier === undefined)
      : await startOrReadFirst();
    const value = first ?? fresh;
    const isReplay = first !== undefined;
    return { value, isReplay, headers: retention ? toKeyHeaders(value, isReplay, await retention) : {} };
  };
}

export type StartOnce = ReturnType<typeof createStartOnce>;

function toKeyHeaders(
  { finishedAt }: { finishedAt?: string | undefined },
  isReplay: boolean,
  retentionMs: number | undefined,
): Record<string, string> {
  const endMs = finishedAt ? Date.parse(finishedAt) : Date.now();
  return {
    ...(isReplay && { 'Idempotency-Replayed': 'true' }),
    ...(retentionMs && { 'Idempotency-Expires': new Date(endMs + retentionMs).toISOString() }),
  };
}
