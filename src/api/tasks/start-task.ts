import type { Config } from '../../config/config.ts';
import { engines, type TaskRecord } from '../../contract.ts';
import { toActivityOptions } from '../../policy.ts';
import type { TaskInput, TaskName } from '../../tasks.ts';
import type { Engine } from '../../temporal/engines/engine.ts';
import type { Started, StartOnce } from '../../temporal/start-once.ts';
import type { Caller } from '../submissions/caller.ts';
import { toFingerprint } from '../submissions/idempotency.ts';
import type { Task } from '../views/schemas.ts';
import { createTaskId } from '../views/task-id.ts';
import { skipVanished } from '../views/task-summary.ts';
import type { TaskView } from '../views/task-view.ts';

type Submission = Caller & {
  name: TaskName;
  input: TaskInput;
  /** The request's body as it was received. */
  body: unknown;
  delaySeconds?: number;
  rerunOf?: string;
};

type Dependencies = { config: Config; engine: Pick<Engine, 'start'>; view: TaskView; startOnce: StartOnce };

/** Creates the function that starts a task. Submissions with the same idempotency key start at most one task. */
export function createStartTask({ config, engine, view, startOnce }: Dependencies) {
  const options = toActivityOptions(config.policy);
  const { maximumAttempts: maxAttempts, jitter } = config.policy;

  const otherEngine = engines.find((other) => other !== config.engine);
  const readFirst = async (id: string, name: TaskName) => {
    const { record, task } = await view.readWithRecord(id, name);
    return { value: task, fingerprint: record.fingerprint };
  };

  return async ({ name, input, body, delaySeconds = 0, rerunOf, ...caller }: Submission): Promise<Started<Task>> => {
    const { owner, idempotencyKey, trace } = caller;
    const id = createTaskId(owner, name, idempotencyKey, config.engine);
    const record: TaskRecord = {
      input,
      maxAttempts,
      submittedAt: new Date().toISOString(),
      ...(idempotencyKey !== undefined && { fingerprint: toFingerprint({ body, delaySeconds, rerunOf }) }),
      ...(rerunOf && { rerunOf }),
    };
    const delayMs = Math.round(delaySeconds * 1_000);
    const delay = delayMs > 0 && { startDelay: delayMs };
    return startOnce(caller, {
      id,
      start: () => engine.start({ id, name, task: { input, options, jitter, ...trace }, record, ...delay }),
      fingerprint: record.fingerprint,
      fresh: view.toSubmitted(id, name, record, delayMs > 0 ? 'scheduled' : 'queued'),
      readFirst: () => readFirst(id, name),
      // A task with this key may have been started before ENGINE was changed.
      ...(idempotencyKey !== undefined && {
        readOther: () => readFirst(createTaskId(owner, name, idempotencyKey, otherEngine), name).catch(skipVanished),
      }),
    });
  };
}

export type StartTask = ReturnType<typeof createStartTask>;
