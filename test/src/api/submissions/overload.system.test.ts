import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { createOwnTemporal } from '../../../support/own-temporal.ts';
import { expectProblem } from '../../../support/problem.ts';
import { exchange, type WireAnswer } from '../../../support/wire.ts';

let temporal: Awaited<ReturnType<typeof createOwnTemporal>>;
let small: Holdfast;
let large: Holdfast;

beforeAll(async () => {
  temporal = await createOwnTemporal();
  await temporal.start();
  small = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address, MAX_IN_FLIGHT: '5' });
  large = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address });
  for (const holdfast of [small, large]) await holdfast.submit();
}, 120_000);
afterAll(async () => {
  await Promise.all([small, large].map((holdfast) => holdfast?.stop()));
  await temporal.remove();
}, 120_000);

const submit = (holdfast: Holdfast) => holdfast.call('POST', '/tasks/fetch-joke');

async function submitMany(holdfast: Holdfast, count: number) {
  const started = performance.now();
  const timed = async () => ({ answer: await submit(holdfast), ms: performance.now() - started });
  return await Promise.all(Array.from({ length: count }, timed));
}

const slugOf = ({ answer }: { answer: { body: { type?: string } } }) => answer.body.type?.replace('/problems/', '');

// Seen to fail when starts were not counted, and when the count never went down.
test('with five starts in flight and a silent Temporal, the other 45 get 503 immediately and nothing is started for them', async () => {
  await temporal.stop();
  try {
    const answers = await submitMany(small, 50);
    const refused = answers.filter((each) => slugOf(each) === 'overloaded');
    expect(refused).toHaveLength(45);
    for (const { answer, ms } of refused) {
      expect(expectProblem(answer, 'overloaded')).toMatchObject({
        retryable: true,
        outcome: 'not-started',
        detail: '5 tasks are being started in this process, which allows 5; try again',
      });
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(ms).toBeLessThan(1_000);
    }
    const lost = answers.filter((each) => !refused.includes(each));
    expect(lost.map(slugOf)).toEqual(lost.map(() => 'temporal-unavailable'));
  } finally {
    temporal.resume();
  }
  await eventually(
    () => submit(small),
    ({ status }) => status === 202,
  );
  const metrics = await (await fetch(`${small.url}/metrics`)).text();
  expect(Number(/outcome="refused"\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThanOrEqual(45);
}, 120_000);

// Seen to fail when the routes that submit had no `limitSubmissions`: the answer waited for the body.
test('an excess submission is refused before its body arrives; other calls are not refused', async () => {
  await temporal.stop();
  try {
    const crowd = submitMany(small, 5);
    const line = 'POST /tasks/fetch-joke HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    const started = performance.now();
    const [answer] = await exchange(small.url, `${line}Content-Length: 1000\r\nConnection: close\r\n\r\n`);
    expect(performance.now() - started).toBeLessThan(1_000);
    expectProblem(answer as WireAnswer, 'overloaded');
    expect((await small.call('GET', '/health')).status).toBe(200);
    expect((await crowd).map(slugOf)).toEqual(Array(5).fill('temporal-unavailable'));
  } finally {
    temporal.resume();
  }
}, 120_000);

test('a control: with a limit of 500 none of the 50 is refused immediately', async () => {
  await eventually(
    () => submit(large),
    ({ status }) => status === 202,
  );
  await temporal.stop();
  try {
    const answers = await submitMany(large, 50);
    expect(answers.map(slugOf)).toEqual(Array(50).fill('temporal-unavailable'));
    for (const { ms } of answers) expect(ms).toBeGreaterThan(1_000);
  } finally {
    temporal.resume();
  }
}, 120_000);
