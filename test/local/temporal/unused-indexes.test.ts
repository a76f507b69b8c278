import { execFileSync } from 'node:child_process';
import type { Client } from '@temporalio/client';
import sqlite from 'node-sqlite3-wasm';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createTemporaryDirectory } from '../../../cli/temporary-directory.ts';
import { steps } from '../../../local/temporal/first-start.ts';
import { dropUnusedIndexes } from '../../../local/temporal/unused-indexes.ts';
import { type ListQuery, type Phase, toListFilter } from '../../../src/api/tasks/visibility.ts';
import { taskStatuses } from '../../../src/api/views/schemas.ts';
import { toDatabasePath } from '../../../src/embedded/database.ts';
import { taskNames } from '../../../src/tasks.ts';
import { createTaskFailureLog } from '../../../src/telemetry/workflow-tasks.ts';
import { createListTasks } from '../../../src/temporal/lists/list-tasks.ts';
import { createNewDatabase } from '../../support/new-database.ts';

const directory = createTemporaryDirectory('holdfast-indexes-');
afterAll(directory.remove);

let plans: string[];
let kept: string[];
let dropped: string[];
const queries = new Set<string>();

/** Returns a client that records the queries of lists and counts, and answers with two finished executions. */
function createRecordingClient() {
  const toExecution = (id: string) => ({ execution: { workflowId: id, runId: id }, closeTime: { seconds: 1 } });
  const record = async ({ query }: { query: string }) => {
    queries.add(query);
    return { count: 3, executions: [toExecution('a'), toExecution('b')] };
  };
  const workflowService = { listWorkflowExecutions: record, countWorkflowExecutions: record };
  const options = { namespace: 'default', loadedDataConverter: { payloadCodecs: [] } };
  return { workflowService, options } as unknown as Client;
}

/** Records every query that Holdfast sends to visibility. */
async function recordQueries() {
  const list = createListTasks(createRecordingClient());
  const names = [undefined, ...taskNames];
  for (const name of names)
    for (const status of [undefined, 'open', ...taskStatuses] as ListQuery['status'][])
      for (const phase of ['open', 'closed'] satisfies Phase[]) {
        const filter = toListFilter('someone', phase, { name, status } as ListQuery);
        await list({ filter, pageSize: 50, token: '', isWanted: () => true });
      }
  await createTaskFailureLog(createRecordingClient(), { error: () => {} } as never)({ runId: 'b' });
}

const columns: Record<string, string> = {
  WorkflowId: 'workflow_id',
  WorkflowType: 'workflow_type_name',
  RunId: 'run_id',
  ExecutionStatus: 'status',
  ExecutionTime: 'execution_time',
  TemporalNamespaceDivision: 'TemporalNamespaceDivision',
};
const statuses = ['', 'Running', 'Completed', 'Failed', 'Canceled', 'Terminated', 'ContinuedAsNew', 'TimedOut'];

/** Returns the SQL statements that the server makes of a query (common/persistence/visibility/store/sql). */
function toStatements(query: string): string[] {
  const condition = query
    .replace(/STARTS_WITH '([^']*)'/g, (_, prefix: string) => `LIKE '${prefix.replace(/[%_!]/g, '!$&')}%' ESCAPE '!'`)
    .replace(/\b[A-Z]\w+\b(?= (?:=|<=|>|IN|LIKE) )/g, (name) => columns[name] ?? `unknown_column_${name}`)
    .replace(/'([A-Z]\w+)'/g, (text, name: string) => (statuses.includes(name) ? `${statuses.indexOf(name)}` : text));
  const division = query.includes('TemporalNamespaceDivision') ? '' : 'TemporalNamespaceDivision IS NULL AND ';
  const where = `FROM executions_visibility WHERE namespace_id = 'id' AND ${division}(${condition})`;
  const closed = "coalesce(close_time, '9999-12-31 23:59:59+00:00')";
  const after = `((${closed} = 't' AND start_time = 't' AND run_id > 'r') OR (${closed} = 't' AND start_time < 't') OR ${closed} < 't')`;
  const order = `ORDER BY ${closed} DESC, start_time DESC, run_id LIMIT 50`;
  return [`SELECT COUNT(*) ${where}`, `SELECT * ${where} ${order}`, `SELECT * ${where} AND ${after} ${order}`];
}

function readPlans(path: string) {
  const database = new sqlite.Database(path);
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  const statements = [...queries].flatMap(toStatements);
  const plans = statements.map((sql) =>
    database
      .all(`EXPLAIN QUERY PLAN ${sql}`)
      .map(({ detail }) => detail)
      .join('; '),
  );
  const indexes = database.all("SELECT name FROM pragma_index_list('executions_visibility') WHERE origin = 'c'");
  database.close();
  return { plans, indexes: indexes.map(({ name }) => String(name)).sort() };
}

beforeAll(async () => {
  const database = createNewDatabase(directory.path, inject('temporal'));
  await steps[0]?.(database);
  await recordQueries();
  const path = toDatabasePath(database.directory);
  dropped = dropUnusedIndexes(path).sort();
  ({ plans, indexes: kept } = readPlans(path));
});

test('no query of Holdfast needs a dropped index: each finds its rows by an index that stays', () => {
  expect([...queries]).toEqual(expect.arrayContaining(["WorkflowId IN ('a', 'b')", "RunId = 'b'"]));
  expect(queries.size).toBeGreaterThan(10);
  const used = plans.map((plan) => /^SEARCH executions_visibility USING INDEX (\w+) \(namespace_id=\?/.exec(plan)?.[1]);
  expect([...new Set(used)].sort()).toEqual([
    'by_execution_time',
    'by_state_transition_count',
    'by_status',
    'by_workflow_id',
    'default_idx',
    'sqlite_autoindex_executions_visibility_1',
  ]);
});

test('the test above knows all places that query visibility', () => {
  const places = execFileSync('git', ['grep', '-lE', '(list|count)(Workflow|Activity)Executions\\(', '--', 'src']);
  expect(`${places}`.trim().split('\n')).toEqual([
    'src/telemetry/workflow-tasks.ts',
    'src/temporal/lists/list-tasks.ts',
  ]);
});

test('the indexes of the columns that every execution has stay, and those of search attributes go', () => {
  expect(kept).toEqual([
    'by_execution_duration',
    'by_execution_time',
    'by_history_length',
    'by_history_size_bytes',
    'by_parent_run_id',
    'by_parent_workflow_id',
    'by_root_run_id',
    'by_root_workflow_id',
    'by_state_transition_count',
    'by_status',
    'by_task_queue',
    'by_workflow_id',
    'by_workflow_type',
    'default_idx',
  ]);
  const custom = /^by_(temporal_)?(bool|datetime|double|int|keyword|low_cardinality_keyword)_\d\d$/;
  expect(dropped.filter((name) => !custom.test(name))).toEqual([
    'by_batcher_user',
    'by_temporal_namespace_division',
    'by_temporal_pause_info',
    'by_temporal_schedule_paused',
    'by_temporal_scheduled_by_id',
    'by_temporal_scheduled_start_time',
    'by_temporal_worker_deployment',
    'by_temporal_worker_deployment_version',
    'by_temporal_workflow_versioning_behavior',
  ]);
});
