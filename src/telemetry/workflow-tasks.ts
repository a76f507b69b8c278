import type { Client } from '@temporalio/client';
import { withDeadline } from '../temporal/deadline.ts';
import type { Logger } from './log.ts';

/** The SDK's line about a failed workflow task. It has the id of the run, but not that of the workflow. */
export const failingTaskMessage = 'Failing workflow task';

/** While a workflow is stuck, Temporal repeats its workflow task at least this often (`history.workflowTaskRetry…`). */
const failingForMs = 60_000;

const fault = {
  fit: 'The workflow code of this build does not fit the history of this workflow, which cannot go on. Deploy code that fits',
  other: 'A workflow task failed. Temporal repeats it until it succeeds',
};

/**
 * Returns a function that logs a failed workflow task, with the id and type of the workflow. `run` is what the SDK
 * logged. Temporal finds the workflow by its run in its list, so the names are missing if the list does not answer.
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
 * with the reason. It compares the counters with those of the previous call.
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
