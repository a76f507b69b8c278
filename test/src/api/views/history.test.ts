import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

// Seen to fail when JSON.parse of the reason could throw: such a task was always a 500.
test.each(['maintenance', '{"attempt"', '{"attempt":"two"}', '[]'])(
  'a task that an operator cancelled with the reason %j can be read like any other',
  async (reason) => {
    const { client, config } = holdfast;
    holdfast.jokes.rules.add({ when: { category: 'broken' }, then: [{ status: 503 }], repeat: true });
    const { id } = await holdfast.submit({ category: 'broken' });
    await holdfast.until(id, ({ status }) => status === 'retrying');
    await client.workflowService.requestCancelWorkflowExecution({
      namespace: config.temporal.namespace,
      workflowExecution: { workflowId: id },
      reason,
    });
    expect(await holdfast.until(id, ({ status }) => status === 'cancelled')).toMatchObject({ id, attempt: 1 });
  },
);
