import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import { parseId, type TaskRecord } from '../../contract.ts';
import type { AttemptOptions, TaskInput } from '../../tasks.ts';
import { longPoll } from '../deadline.ts';
import { isFailedPrecondition, isUnknownCall } from '../errors.ts';
import { toValues } from '../payloads.ts';
import type { Engine } from './engine.ts';
import { toStandaloneState } from './standalone-state.ts';

/** The arguments of a standalone activity. The attempt ignores the third one. */
type Arguments = [input: TaskInput, options: AttemptOptions, record: Omit<TaskRecord, 'input'>];

/**
 * Runs each task as a standalone activity: without a workflow, with the same activity code and options. The record is
 * in the activity's arguments. A read takes one RPC.
 */
export function createActivityEngine(
  client: Client,
  { taskQueue, temporal: { namespace } }: Pick<Config, 'taskQueue' | 'temporal'>,
): Engine {
  const engine: Engine = {
    start({ id, name, task: { input, options, ...attempt }, record: { input: _, ...record }, ...start }) {
      const args: Arguments = [input, attempt, record];
      return client.activity.start(name, {
        id,
        idReusePolicy: 'REJECT_DUPLICATE',
        idConflictPolicy: 'FAIL',
        taskQueue,
        args,
        priority: { fairnessKey: parseId(id)?.ownerHash ?? '' },
        ...options,
        ...start,
      });
    },

    async read(id, name) {
      const includes = { includeInput: true, includeOutcome: true, includeLastFailure: true };
      const describing = client.workflowService.describeActivityExecution({ namespace, activityId: id, ...includes });
      // A server before 1.32 has no standalone activities, and does not know the call.
      const activity = await describing.catch((error: unknown) => {
        if (!isUnknownCall(error)) throw error;
      });
      if (!activity) return undefined;
      const [input, , record] = (await toValues(client, activity.input)) as Partial<Arguments>;
      // Anyone with access to Temporal can start an activity with this id, so require the type and record of the API.
      if (activity.info?.activityType?.name !== name || !input || !record?.submittedAt) return undefined;
      const state = await toStandaloneState(client, activity);
      return { record: { ...record, input }, state, page: `activities/${id}/${activity.runId}/details` };
    },

    readEnded: (id, name) => engine.read(id, name),

    async awaitEnd(id, signal) {
      const poll = () => client.workflowService.pollActivityExecution({ namespace, activityId: id });
      const { outcome } = await longPoll(signal, poll);
      return Boolean(outcome);
    },

    async cancel(id) {
      try {
        await client.activity.getHandle(id).cancel('Requested through the API');
      } catch (error) {
        // The task has ended, or its cancellation was already requested.
        if (!isFailedPrecondition(error)) throw error;
      }
    },

    // The page of an activity needs its run id, which only a read has.
    toPagePath: (id) => `activities?query=${encodeURIComponent(`ActivityId="${id}"`)}`,
  };
  return engine;
}
