import { afterAll, beforeAll, expect, test } from 'vitest';
import { type JokeApi, startJokeApi } from '../../../../local/joke-api/create-joke-api.ts';
import { startSlice } from '../../../support/slice.ts';

let api: JokeApi;
beforeAll(async () => {
  api = await startJokeApi();
});
afterAll(() => api.close());

test('a slice makes the first attempt of each item, with its own key, log line and record', async () => {
  const slice = startSlice(api, {});
  const { outcomes, holdMs } = await slice.result;
  expect(holdMs).toBeUndefined();
  expect(outcomes.map(({ index }) => index)).toEqual([100, 101, 102]);
  expect(outcomes[0]).toMatchObject({ output: { joke: expect.any(String) } });
  expect(slice.requests().map(({ taskKey, attempt }) => [taskKey, attempt])).toEqual([
    [`${slice.batchId}/100`, 1],
    [`${slice.batchId}/101`, 1],
    [`${slice.batchId}/102`, 1],
  ]);
  expect(slice.lines).toEqual([100, 101, 102].map((index) => `Job <batch>/${index}: Fetching joke (attempt 1/5)`));
  expect(slice.records).toMatchObject([100, 101, 102].map(() => ({ task: 'fetch-joke', outcome: 'completed' })));
});
