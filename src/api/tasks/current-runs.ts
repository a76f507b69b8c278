import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { isInvalidPageToken } from '../../temporal/errors.ts';
import { toEpochMs } from '../../temporal/payloads.ts';
import { toCursorProblem } from '../http/cursor.ts';

type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type ListRequest = { namespace: string; query: string; pageSize: number };

const toId = ({ execution }: Execution) => execution?.workflowId ?? '';

/**
 * Keeps the executions that are the current run of their task. An operator's reset ends a run and starts another under
 * the same id, and Temporal lists both. An open run is always the current one. For finished runs, one call counts the
 * runs of their ids. Only if an id has several runs, another call lists them.
 */
export async function keepCurrentRuns(
  client: Client,
  namespace: string,
  executions: Execution[],
): Promise<Execution[]> {
  const runs = [...executions];
  const finished = executions.filter(({ closeTime }) => closeTime);
  if (finished.length > 0) {
    const ids = [...new Set(finished.map(toId))];
    const query = `WorkflowId IN (${ids.map((id) => `'${id}'`).join(', ')})`;
    const { count } = await client.workflowService.countWorkflowExecutions({ namespace, query });
    if (Number(count) !== finished.length) runs.push(...(await listAll(client, namespace, query)));
  }
  const latest = new Map<string, Execution>();
  for (const run of runs) {
    const known = latest.get(toId(run));
    if (!known || toEpochMs(run.startTime) > toEpochMs(known.startTime)) latest.set(toId(run), run);
  }
  return executions.filter((run) => latest.get(toId(run))?.execution?.runId === run.execution?.runId);
}

/** Lists a page of executions. @throws {Problem} 400 if the page token did not come from Temporal. */
export async function listPage({ workflowService }: Client, request: ListRequest, token: string) {
  const nextPageToken = Buffer.from(token, 'base64');
  try {
    return await workflowService.listWorkflowExecutions({ ...request, nextPageToken });
  } catch (error) {
    if (!token || !isInvalidPageToken(error)) throw error;
    // These codes can also mean a failure of the server. In that case the call fails without the token as well.
    await workflowService.listWorkflowExecutions({ ...request, pageSize: 1 });
    throw toCursorProblem();
  }
}

async function listAll({ workflowService }: Client, namespace: string, query: string): Promise<Execution[]> {
  const all: Execution[] = [];
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const page = await workflowService.listWorkflowExecutions({ namespace, query, pageSize: 1_000, nextPageToken });
    all.push(...(page.executions ?? []));
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return all;
}
