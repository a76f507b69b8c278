import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Holdfast, isFinished, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { type SignedIn, signIn, toSecret } from '../../../support/signed-in.ts';

let holdfast: Holdfast;
let alice: SignedIn;
let bob: SignedIn;
// Bob's tasks: one waits for its next attempt, and one has ended.
let open: string;
let finished: string;
/** Returns every documented route with an id in its path, so that new routes are covered automatically. */
let routes: { method: string; template: string }[];

beforeAll(async () => {
  const API_KEYS = ['alice', 'bob'].map((name) => `own-${name}:${toSecret(`own-${name}`)}`).join(',');
  holdfast = await startHoldfast({ API_KEYS });
  alice = signIn(holdfast, toSecret('own-alice'));
  bob = signIn(holdfast, toSecret('own-bob'));
  holdfast.jokes.rules.add({ when: { category: 'waits' }, then: [{ status: 503, retryAfter: '200' }], repeat: true });
  await holdfast.startWorker();
  open = (await bob.submit({ category: 'waits' })).id;
  finished = (await bob.submit()).id;
  await bob.until(open, ({ status }) => status === 'retrying');
  await bob.until(finished, isFinished);
  const { paths } = (await holdfast.call('GET', '/openapi.json')).body;
  routes = Object.keys(paths)
    .filter((template) => template.includes('{id}'))
    .flatMap((template) => Object.keys(paths[template]).map((method) => ({ method: method.toUpperCase(), template })));
});
afterAll(async () => {
  await bob.call('POST', `/tasks/${open}/cancel`);
  await holdfast.stop();
});

const count = async (who: SignedIn) => (await who.call('GET', '/tasks?limit=1000')).body.items.length;

// Seen to fail when `toTaskName` ignored the owner's prefix.
test("on every route with an id, another owner's task is a 404 and stays unchanged", async () => {
  expect(routes.map(({ method, template }) => `${method} ${template}`)).toEqual(
    expect.arrayContaining(['GET /tasks/{id}', 'POST /tasks/{id}/cancel', 'POST /tasks/{id}/rerun']),
  );
  await eventually(
    () => count(bob),
    (tasks) => tasks === 2,
  );
  const before = [await bob.read(open), await bob.read(finished)];
  for (const { method, template } of routes) {
    for (const id of [open, finished]) {
      const answer = await alice.call(method, template.replace('{id}', id), { signal: AbortSignal.timeout(5_000) });
      expect({ method, template, status: answer.status }).toEqual({ method, template, status: 404 });
      expectProblem(answer, 'not-found');
    }
  }
  expect([await bob.read(open), await bob.read(finished)]).toEqual(before);
  expect(await count(bob)).toBe(2);
  expect(await count(alice)).toBe(0);
});

test('a control: on the same routes, the owner never gets a 404', async () => {
  for (const { method, template } of routes.filter((route) => route.template.startsWith('/tasks/'))) {
    const response = await fetch(`${holdfast.url}${template.replace('{id}', finished)}`, {
      method,
      headers: { authorization: `Bearer ${toSecret('own-bob')}` },
    });
    await response.body?.cancel();
    expect({ method, template, status: response.status }).not.toMatchObject({ status: 404 });
  }
});
