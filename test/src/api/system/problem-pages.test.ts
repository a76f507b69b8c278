import { afterAll, beforeAll, expect, test } from 'vitest';
import { problems, problemSlugs as slugs } from '../../../../src/api/problems/problems.ts';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem, expectSafeHeaders } from '../../../support/problem.ts';
import { toSecret } from '../../../support/signed-in.ts';

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ API_KEYS: `somebody:${toSecret('somebody')}` });
});
afterAll(() => holdfast.stop());

const asBrowser = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

// The compiler already reports a slug without a text.
test.each(slugs)('the type of %s is a URL that explains it, without a key', async (slug) => {
  const { status, body } = await holdfast.call('GET', `/problems/${slug}`);
  expect(status).toBe(200);
  expect(body).toEqual({
    type: `/problems/${slug}`,
    title: problems[slug].title,
    status: problems[slug].status,
    description: expect.stringMatching(/^[A-Z].{30,}\.$/s),
    retryable: problems[slug].retryable ?? false,
  });
});

test('the type in a problem works as a URL unchanged', async () => {
  const met = expectProblem(await holdfast.call('GET', '/tasks'), 'unauthorized');
  const { body } = await holdfast.call('GET', new URL(met.type, `${holdfast.url}${met.instance}`).pathname);
  expect(body).toMatchObject({ type: met.type, title: met.title, status: met.status });
});

test('a browser gets a page, and other clients get JSON', async () => {
  const page = await holdfast.fetch('GET', '/problems/unauthorized', asBrowser);
  expect(page.headers.get('content-type')).toBe('text/html; charset=UTF-8');
  expect(page.text).toContain('<code>Authorization: Bearer &lt;secret&gt;</code>');
  expectSafeHeaders(page);
  for (const accept of ['*/*', 'application/json', 'application/*', 'text/html;q=0.1, application/json', 'nonsense']) {
    const { headers } = await holdfast.fetch('GET', '/problems/unauthorized', { headers: { accept } });
    expect({ accept, type: headers.get('content-type') }).toEqual({ accept, type: 'application/json' });
  }
});

test('the list has every problem, as JSON and as a page', async () => {
  const { body } = await holdfast.call('GET', '/problems');
  expect(body.items.map(({ type }: { type: string }) => type)).toEqual(slugs.map((slug) => `/problems/${slug}`));
  const page = await holdfast.fetch('GET', '/problems', asBrowser);
  for (const slug of slugs) expect(page.text).toContain(`href="/problems/${slug}"`);
});

test.each(['nope', 'constructor', '__proto__', '%3Cscript%3E', 'x'.repeat(5_000)])(
  'an unknown problem (%s) is a 404',
  async (slug) => {
    expectProblem(await holdfast.call('GET', `/problems/${slug}`), 'not-found');
  },
);
