import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { type SignedIn, signIn, toSecret } from '../../../support/signed-in.ts';

const old = toSecret('old');
let holdfast: Holdfast;
let alice: SignedIn;
let bob: SignedIn;

beforeAll(async () => {
  const keys = [`auth-alice:${toSecret('alice')}`, `auth-bob:${old}|${toSecret('bob')}`];
  holdfast = await startHoldfast({ API_KEYS: keys.join(',') });
  alice = signIn(holdfast, toSecret('alice'));
  bob = signIn(holdfast, toSecret('bob'));
});
afterAll(() => holdfast.stop());

const withAuthorization = (authorization: string) => ({ headers: { authorization } });

// Calls that need a key. Those to unknown paths show that the answer does not reveal which paths exist.
const guarded: [string, string][] = [
  ['POST', '/tasks/fetch-joke'],
  ['POST', '/tasks/nope'],
  ['GET', '/tasks'],
  ['GET', '/tasks/nope'],
  ['POST', '/tasks/nope/cancel'],
  ['GET', '/metrics'],
  ['GET', '/nothing-here'],
  ['PUT', '/tasks/fetch-joke'],
];

// Seen to fail without `requireApiKey` in `app.ts`.
test.each(guarded)('%s %s without a key answers 401 and a challenge, and starts nothing', async (method, path) => {
  const answer = await holdfast.call(method, path);
  expectProblem(answer, 'unauthorized');
  expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
});

const refused: [string, Record<string, string>][] = [
  ['a wrong key', { authorization: `Bearer ${toSecret('mallory')}` }],
  ['the beginning of a key', { authorization: `Bearer ${toSecret('alice').slice(0, -1)}` }],
  ['a key with more text', { authorization: `Bearer ${toSecret('alice')}x` }],
  ['a key in capitals', { authorization: `Bearer ${toSecret('alice').toUpperCase()}` }],
  ['the name instead of the secret', { authorization: 'Bearer auth-alice' }],
  ['name and secret', { authorization: `Bearer auth-alice:${toSecret('alice')}` }],
  ['both secrets of a rotation as configured', { authorization: `Bearer ${old}|${toSecret('bob')}` }],
  ['an empty Bearer', { authorization: 'Bearer' }],
  ['a Bearer of blanks', { authorization: 'Bearer    ' }],
  ['the bare secret', { authorization: toSecret('alice') }],
  ['Basic', { authorization: `Basic ${Buffer.from(`auth-alice:${toSecret('alice')}`).toString('base64')}` }],
  ['another scheme', { authorization: `Digest ${toSecret('alice')}` }],
  ['two keys in one header', { authorization: `Bearer ${toSecret('alice')}, Bearer ${toSecret('bob')}` }],
  ['a cookie', { cookie: `authorization=Bearer ${toSecret('alice')}` }],
  ['X-API-Key', { 'x-api-key': toSecret('alice') }],
];

test.each(refused)('%s is refused with 401 and a challenge', async (_, headers) => {
  const answer = await holdfast.call('POST', '/tasks/fetch-joke', { headers });
  expectProblem(answer, 'unauthorized');
  expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="holdfast"(, error="invalid_token")?$/);
  expect(answer.text).not.toContain(toSecret('alice'));
});

test('a key in the query string is not accepted', async () => {
  for (const parameter of ['access_token', 'api_key', 'key', 'authorization']) {
    const answer = await holdfast.call('GET', `/tasks?${parameter}=${toSecret('alice')}`);
    expectProblem(answer, 'unauthorized');
    expect(answer.headers.has('www-authenticate')).toBe(true);
    expect(answer.text).not.toContain(toSecret('alice'));
  }
});

test('the scheme is case-insensitive', async () => {
  for (const scheme of ['bearer', 'BEARER', 'Bearer']) {
    const { status } = await holdfast.call('GET', '/tasks', withAuthorization(`${scheme} ${toSecret('alice')}`));
    expect(status).toBe(200);
  }
});

// Seen to fail when the configuration gave each secret of a rotation a different owner.
test('during a rotation the old and the new secret own the same tasks', async () => {
  const { id } = await signIn(holdfast, old).submit();
  expect(await bob.read(id)).toMatchObject({ id, status: 'queued' });
  const { status } = await bob.call('POST', `/tasks/${id}/cancel`);
  expect(status).toBe(202);
  expect(await signIn(holdfast, old).read(id)).toMatchObject({ status: 'cancelling' });
});

// Seen to fail when `toTaskName` ignored the owner's prefix.
test("another key's task cannot be read or cancelled, is in no list, and stays unchanged", async () => {
  const { id } = await bob.submit();
  const mine = await alice.submit();
  expectProblem(await alice.call('GET', `/tasks/${id}`), 'not-found');
  expectProblem(await alice.call('POST', `/tasks/${id}/cancel`), 'not-found');

  const ids = async (who: SignedIn): Promise<string[]> =>
    (await who.call('GET', '/tasks?limit=1000')).body.items.map((item: { id: string }) => item.id);
  expect(
    await eventually(
      () => ids(bob),
      (listed) => listed.includes(id),
    ),
  ).not.toContain(mine.id);
  expect(
    await eventually(
      () => ids(alice),
      (listed) => listed.includes(mine.id),
    ),
  ).not.toContain(id);
  expect(await bob.read(id)).toMatchObject({ id, status: 'queued' });
});

test("an id does not contain the key's name", async () => {
  const { id } = await alice.submit();
  expect(id).not.toContain('alice');
});

test('health, readiness and the document need no key and ignore a wrong one', async () => {
  for (const init of [{}, withAuthorization(`Bearer ${toSecret('mallory')}`)]) {
    expect((await holdfast.call('GET', '/health', init)).status).toBe(200);
    expect((await holdfast.call('GET', '/openapi.json', init)).status).toBe(200);
    // This queue never had a worker, so the API is not ready, but the call is not refused.
    expectProblem(await holdfast.call('GET', '/ready', init), 'not-ready');
  }
});

test('metrics need a key', async () => {
  const answer = await fetch(`${holdfast.url}/metrics`, withAuthorization(`Bearer ${toSecret('alice')}`));
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(text).toContain('holdfast_http_request_duration_seconds');
  for (const owner of ['alice', 'bob']) expect(text).not.toContain(owner);
});
