import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Config } from '../config.ts';
import { toActivityOptions } from '../policy.ts';
import type { TaskInput, TaskName, TraceContext } from '../tasks.ts';
import { toFingerprint } from './idempotency.ts';
import { Problem } from './problem.ts';
import type { TakePlace } from './rate-limit.ts';
import { createRetention } from './retention.ts';
import type { Task } from './schemas.ts';
import type { Starts } from './starts.ts';
import { createTaskId } from './task-id.ts';
import type { TaskMemo, TaskView } from './task-view.ts';

/** A workflow task whose worker died is handed on after this time instead of Temporal's 10 s. */
const workflowTaskTimeoutMs = 5_000;

export type Submission = {
  owner: string;
  name: TaskName;
  input: TaskInput;
  /** The request's body as it was received. */
  body: unknown;
  idempotencyKey: string | undefined;
  trace: TraceContext;
  takePlace: TakePlace | undefined;
  delaySeconds?: number;
  rerunOf?: string;
};

export type Submitted = {
  task: Task;
  /** Whether an earlier submission under the same key had started it. */
  isReplay: boolean;
  /** The answer's headers about this submission. */
  headers: Record<string, string>;
};

type SubmitDependencies = { client: Client; config: Config; view: TaskView; starts: Starts };

/**
 * Starts a task: with an idempotency key at most one, whoever else submits under the same key, in whatever process, for the key
 * decides the workflow's id and Temporal refuses a second run of it.
 */
export function createSubmit({ client, config, view, starts }: SubmitDependencies) {
  const options = toActivityOptions(config.policy);
  const { maximumAttempts: maxAttempts, jitter } = config.policy;
  const readRetentionMs = createRetention(client, config.temporal.namespace);

  const start = (
    id: string,
    name: TaskName,
    { input, memo, delayMs, trace }: { input: TaskInput; memo: TaskMemo; delayMs: number; trace: TraceContext },
  ) =>
    client.workflow.start(name, {
      workflowId: id,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      taskQueue: config.taskQueue,
      workflowTaskTimeout: workflowTaskTimeoutMs,
      ...(delayMs > 0 && { startDelay: delayMs }),
      args: [{ input, options, jitter, ...trace }],
      memo,
    });

  /** The task that was started under this key before, if the two submissions are the same. */
  async function readFirst(id: string, name: TaskName, fingerprint: string | undefined): Promise<Task> {
    const { memo, task } = await view.readWithMemo(id, name);
    if (memo.fingerprint === fingerprint) return task;
    throw new Problem(
      'idempotency-mismatch',
      'Another submission was made under this Idempotency-Key; it is untouched',
    );
  }

  function toKeyHeaders(
    { finishedAt }: Task,
    isReplay: boolean,
    retentionMs: number | undefined,
  ): Record<string, string> {
    const endMs = finishedAt ? Date.parse(finishedAt) : Date.now();
    return {
      ...(isReplay && { 'Idempotency-Replayed': 'true' }),
      ...(retentionMs && { 'Idempotency-Expires': new Date(endMs + retentionMs).toISOString() }),
    };
  }

  return async ({
    owner,
    name,
    input,
    body,
    idempotencyKey,
    trace,
    takePlace,
    delaySeconds = 0,
    rerunOf,
  }: Submission): Promise<Submitted> => {
    const id = createTaskId(owner, name, idempotencyKey);
    const fingerprint = idempotencyKey === undefined ? undefined : toFingerprint({ body, delaySeconds, rerunOf });
    const submittedAt = new Date().toISOString();
    const memo: TaskMemo = {
      input,
      maxAttempts,
      submittedAt,
      ...(fingerprint && { fingerprint }),
      ...(rerunOf && { rerunOf }),
    };
    const delayMs = Math.round(delaySeconds * 1_000);
    const startOrReadFirst = () =>
      starts.start(() =>
        start(id, name, { input, memo, delayMs, trace }).then(
          () => undefined,
          (error: unknown) => {
            if (error instanceof WorkflowExecutionAlreadyStartedError) return readFirst(id, name, fingerprint);
            throw error;
          },
        ),
      );
    // Beside the start, not behind it: one after the other may take longer than the caller shall wait.
    const retention = idempotencyKey === undefined ? undefined : readRetentionMs();
    const first = takePlace
      ? await takePlace(id, startOrReadFirst, (earlier) => earlier === undefined)
      : await startOrReadFirst();
    const task = first ?? view.toSubmitted(id, name, memo, delayMs > 0 ? 'scheduled' : 'queued');
    const isReplay = first !== undefined;
    const headers = retention ? toKeyHeaders(task, isReplay, await retention) : {};
    return { task, isReplay, headers };
  };
}
