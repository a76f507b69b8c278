import type { Client } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import { parseId } from '../../contract.ts';
import { createListTasks } from '../lists/list-tasks.ts';
import { createActivityEngine } from './activity-engine.ts';
import type { Engine } from './engine.ts';
import type { StartWorkflow } from './start-workflow.ts';
import { createWorkflowEngine } from './workflow-engine.ts';

/** Creates the engine for tasks of both kinds. The id of a task says which kind it is. Lists have both kinds. */
export function createEngine(
  client: Client,
  config: Pick<Config, 'taskQueue' | 'temporal'>,
  startWorkflow: StartWorkflow,
) {
  const workflow = createWorkflowEngine(client, startWorkflow);
  const activity = createActivityEngine(client, config);
  const of = (id: string): Engine => (parseId(id)?.kind === 'activity' ? activity : workflow);
  const engine: Engine = {
    start: (task) => of(task.id).start(task),
    read: (id, name) => of(id).read(id, name),
    readEnded: (id, name) => of(id).readEnded(id, name),
    awaitEnd: (id, signal) => of(id).awaitEnd(id, signal),
    cancel: (id, state) => of(id).cancel(id, state),
    toPagePath: (id) => of(id).toPagePath(id),
  };
  return { ...engine, list: createListTasks(client) };
}

export type Engines = ReturnType<typeof createEngine>;
