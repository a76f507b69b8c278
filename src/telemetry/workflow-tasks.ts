import type { Client } from '@temporalio/client';
import { withDeadline } from '../temporal/deadline.ts';
import type { Logger } from './log.ts';

/** What the SDK logs when a workflow task fails. The line has the id of the run, but not the id of the workflow. */
export const failingTaskMessage = 'Failing workflow task';

/** On the servers that Holdfast starts, the workflow task of a stuck workflow is repeated more often than this. */
const failingForMs = 60_000;

const fault = {
  fit: 'The workflow code of this build does not fit the history of this workflow, which cannot go on. Deploy code that fits',
  other: 'A workflow task failed. Temporal repeats it until it succeeds',
};

/**
 * Returns a function that logs a failed workflow task, with the id and type of the workflow. `run` is what the SDK
 * logged. The id and the type come from Temporal's list. If the list does not answer, they are missing.
 */
export function createTaskFailureLog(client: Client, log: Logger) {
  return async (run: { runId?: unknown; failure?: unknown }): Promise<void> => {
    const runId = String(run.runId);
    const query = `RunId = '${runId}'`;
    const list = () =>
      client.workflowService.listWorkflowExecutions({ namespace: client.options.namespace, query, pageSize: 1 });
    const { executions } = await withDeadline(list).catch(() => ({ executions: [] }));
    const { execution, type } = executions?.[0] ?? {};
    const failure = String(run.failure);
    log.error(
      {
        workflowId: execution?.workflowId,
        workflowType: type?.name,
        runId,
        failure: /message: "((?:[^"\\]|\\.)*)"/.exec(failure)?.[1],
      },
      failure.includes('NonDeterministic') ? fault.fit : fault.other,
    );
  };
}

/**
 * Creates a function that finds in the SDK's metrics which workflow types have had failed workflow tasks lately, each
 * with the reason. It compares the counters with those of earlier calls, so a failure counts from the first call after
 * it, for a minute.
 */
export function createTaskFailureCheck(now = () => performance.now()) {
  const known = new Map<string, { count: string; changedAt: number }>();
  return (sdkMetrics: string): string[] => {
    for (const [, labels = '', count = ''] of sdkMetrics.matchAll(
      /^temporal_workflow_task_execution_failed\{(.*)\} (\S+)$/gm,
    ))
      if (known.get(labels)?.count !== count) known.set(labels, { count, changedAt: now() });
    return [...known]
      .filter(([, { changedAt }]) => now() - changedAt < failingForMs)
      .map(([labels]) => {
        const read = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? 'unknown';
        return `${read('workflow_type')}: ${read('failure_reason')}`;
      });
  };
}
