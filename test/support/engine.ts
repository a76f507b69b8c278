import type { Client } from '@temporalio/client';
import type { EngineName } from '../../src/contract.ts';
import { parseId } from '../../src/contract.ts';

/** The engine that these tests use. The Vitest project sets it. */
export const engine: EngineName = process.env.ENGINE === 'activity' ? 'activity' : 'workflow';

/** The calls that start, read and await tasks of this engine. */
export const rpcs =
  engine === 'activity'
    ? ({
        start: 'startActivityExecution',
        describe: 'describeActivityExecution',
        poll: 'pollActivityExecution',
      } as const)
    : ({
        start: 'startWorkflowExecution',
        describe: 'describeWorkflowExecution',
        poll: 'getWorkflowExecutionHistory',
      } as const);

/** The status of a task that was cancelled while no worker runs. A workflow needs a worker to end. */
export const cancelledWithoutWorker = engine === 'activity' ? 'cancelled' : 'cancelling';

/** Terminates a task, as an operator can. */
export const terminate = ({ client }: { client: Client }, id: string, reason = 'by hand') =>
  parseId(id)?.kind === 'activity'
    ? client.activity.getHandle(id).terminate(reason)
    : client.workflow.getHandle(id).terminate(reason);
