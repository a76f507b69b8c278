import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TaskSummary } from '../../../../src/api/views/schemas.ts';
import { parseId } from '../../../../src/contract.ts';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';

// Two APIs with the same owners on one task queue, as before and after a change of ENGINE. They need Temporal 1.32.
describe('after a change of ENGINE', () => {
  const secret = toSecret(`engines-${randomUUID().slice(0, 8)}`);
  let before: Holdfast;
  let after: Holdfast;
  const as = (holdfast: Holdfast) => signIn(holdfast, secret);

  beforeAll(async () => {
    const common = { API_KEYS: `engines:${secret}`, BASE_DELAY: '0.1', MAX_ATTEMPTS: '2', TASK_QUEUE: randomUUID() };
    before = await startHoldfast({ ...common, ENGINE: 'workflow' });
    after = await startHoldfast({ ...common, API_BASE_URL: before.jokes.url });
    await after.startWorker();
  });
  afterAll(() => Promise.all([before, after].map((each) => each?.stop())));

  test('the id of a task tells its engine, and ids of workflows are as before', async () => {
    const [old, fresh] = await Promise.all([before, after].map((api) => as(api).submit()));
    expect(old?.id).toMatch(/^[0-9a-f]{16}_fetch-joke_[0-9a-f-]{36}$/);
    expect(fresh?.id).toMatch(/^[0-9a-f]{16}_fetch-joke_activity_[0-9a-f-]{36}$/);
    expect([old, fresh].map((task) => parseId(task?.id ?? '')?.kind)).toEqual(['workflow', 'activity']);
  });

  // Seen to fail without `readOther`.
  test.each([
    ['workflow', () => [before, after]],
    ['activity', () => [after, before]],
  ])(
    'a key of a task of the engine %s is a replay with the other one, and a 422 for another body',
    async (_, order) => {
      const [first, second] = order().map((api) => as(api)) as [ReturnType<typeof as>, ReturnType<typeof as>];
      const headers = { 'idempotency-key': randomUUID() };
      const accepted = await first.call('POST', '/tasks/fetch-joke', { headers });
      const replayed = await second.call('POST', '/tasks/fetch-joke', { headers });
      expect(replayed).toMatchObject({ status: 202, body: { id: accepted.body.id } });
      expect(replayed.headers.get('idempotency-replayed')).toBe('true');
      expectProblem(await second.call('POST', '/tasks/fetch-joke?delay=9', { headers }), 'idempotency-mismatch');
    },
  );

  test('tasks of both kinds can be read, cancelled and rerun by either API', async () => {
    for (const [submits, other] of [
      [before, after],
      [after, before],
    ] as [Holdfast, Holdfast][]) {
      const { body } = await as(submits).call('POST', '/tasks/fetch-joke?delay=600');
      expect((await as(other).call('POST', `/tasks/${body.id}/cancel`)).status).toBe(202);
      const task = await eventually(async () => (await as(other).call('GET', `/tasks/${body.id}`)).body, isFinished);
      expect(task).toMatchObject({ status: 'cancelled', attempt: 1 });
      expect(await as(other).call('POST', `/tasks/${body.id}/rerun`)).toMatchObject({
        status: 202,
        body: { rerunOf: body.id },
      });
    }
  });

  test('a list has tasks of both kinds, each once and in one order, however short its pages are', async () => {
    const delayed = (api: Holdfast) => as(api).call('POST', '/tasks/fetch-joke?delay=3600');
    const ids: string[] = [];
    for (const api of [before, after, before, after, after]) ids.unshift((await delayed(api)).body.id);
    const list = async (limit: number) => {
      const items: TaskSummary[] = [];
      for (let cursor: string | null = ''; cursor !== null; ) {
        const at = cursor && `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await as(after).call('GET', `/tasks?status=scheduled&limit=${limit}${at}`);
        items.push(...body.items);
        cursor = body.nextCursor;
      }
      return items.map(({ id }) => id);
    };
    await eventually(
      () => list(50),
      (listed) => listed.length === ids.length,
    );
    for (const limit of [1, 2, 50]) expect(await list(limit)).toEqual(ids);
  });

  test('an activity that the API did not start is a 404 and in no list, whatever its id is', async () => {
    const { id } = await as(after).submit();
    const foreign = id.replace(/[^_]+$/, 'foreign');
    const start = { taskQueue: 'polled-by-nobody', startToCloseTimeout: 1_000 };
    await after.client.activity.start('fetch-joke', { ...start, id: foreign, args: [{}, {}] });
    onTestFinished(() => after.client.activity.getHandle(foreign).terminate('end of the test'));
    expectProblem(await as(after).call('GET', `/tasks/${foreign}`), 'not-found');
    expectProblem(await as(after).call('POST', `/tasks/${foreign}/cancel`), 'not-found');
    await eventually(
      async () => (await after.client.activity.count(`ActivityId = '${foreign}'`)).count,
      (count) => count === 1,
    );
    const { body } = await as(after).call('GET', '/tasks');
    expect(body.items.map((item: TaskSummary) => item.id)).not.toContain(foreign);
  });

  test('beside an embedded server, the link to Temporal leads to the page of the activity', async () => {
    const [, port] = after.config.temporal.address.split(':');
    const embedded = await startHoldfast({ TEMPORAL_ADDRESS: '', EMBEDDED_TEMPORAL_PORT: port });
    onTestFinished(() => embedded.stop());
    const submitted = await embedded.submit();
    const list = `http://127.0.0.1:8233/namespaces/default/activities?query=`;
    expect(submitted.links.temporal).toBe(`${list}${encodeURIComponent(`ActivityId="${submitted.id}"`)}`);
    const { activityRunId } = await embedded.client.activity.getHandle(submitted.id).describe();
    const page = `http://127.0.0.1:8233/namespaces/default/activities/${submitted.id}/${activityRunId}/details`;
    expect((await embedded.read(submitted.id)).links.temporal).toBe(page);
  });
});
