import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JokeApi, startJokeApi } from '../../../../local/joke-api/create-joke-api.ts';
import { createActivities } from '../../../../src/activities/index.ts';
import { takePlaces } from '../../../../src/activities/interceptors/take-places.ts';
import { createPlaces } from '../../../../src/activities/places.ts';

let api: JokeApi;
beforeAll(async () => {
  api = await startJokeApi();
});
afterAll(() => api.close());

const never = new AbortController().signal;

/** Starts an attempt of fetch-joke in a process whose only place is held. */
async function startAttempt(startToCloseTimeoutMs: number) {
  const places = createPlaces(1);
  const release = (await places.takeForSlice('owner', never)) as () => void;
  const id = randomUUID();
  const environment = new MockActivityEnvironment(
    { workflowExecution: { workflowId: id, runId: 'run' }, startToCloseTimeoutMs, heartbeatTimeoutMs: 300 },
    { logger: new DefaultLogger('ERROR'), interceptors: [takePlaces(places)] },
  );
  let heartbeats = 0;
  environment.on('heartbeat', () => {
    heartbeats += 1;
  });
  const fetchJoke = createActivities({ upstreamUrl: api.url })['fetch-joke'];
  const result = environment.run(fetchJoke, {}, { jitter: 0 });
  result.catch(() => {});
  const requests = () => api.ledger({ taskKey: id });
  return { id, places, release, environment, result, requests, readHeartbeats: () => heartbeats };
}

test('an attempt that waits for its place sends heartbeats, calls when it gets the place, and releases it', async () => {
  const { result, release, places, requests, readHeartbeats } = await startAttempt(30_000);
  await expect.poll(readHeartbeats).toBeGreaterThan(1);
  expect(requests()).toEqual([]);
  release();
  await result;
  expect(requests()).toHaveLength(1);
  expect(await places.takeForSingle(never)).toBeDefined();
});

test('the wait for a place counts against the deadline of the attempt', async () => {
  const { id, result, release, requests } = await startAttempt(1_000);
  api.rules.add({ when: { taskKey: id }, then: [{ hang: 'headers' }] });
  setTimeout(release, 600);
  await expect(result).rejects.toMatchObject({ type: 'UpstreamTimeout' });
  await expect.poll(() => requests()[0]?.endedAt).toEqual(expect.any(Number));
  const [{ startedAt, endedAt } = { startedAt: 0, endedAt: 0 }] = requests();
  expect((endedAt ?? 0) - startedAt).toBeLessThan(450);
});

test('an attempt that gets no place before its deadline fails without a call', async () => {
  const { result, requests } = await startAttempt(300);
  await expect(result).rejects.toMatchObject({
    type: 'UpstreamTimeout',
    message: 'The call did not begin before the deadline of the attempt',
  });
  expect(requests()).toEqual([]);
});

test('an attempt that waits for its place ends when its task is cancelled', async () => {
  const { result, environment, places, release } = await startAttempt(30_000);
  environment.cancel();
  await expect(result).rejects.toThrow('The task was cancelled');
  release();
  expect(await places.takeForSingle(never)).toBeDefined();
});
