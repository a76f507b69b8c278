import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectProblem } from '../../../support/problem.ts';
import { exchange } from '../../../support/wire.ts';

let holdfast: Holdfast;

beforeAll(async () => {
  holdfast = await startHoldfast();
});
afterAll(() => holdfast.stop());

const post = (path: string, body: string, type = 'application/json') =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

// Seen to fail when the parser's error was answered at once, with 405 or 400 for a task that had been started.
test.each(['\n\nx', 'FOO BAR\r\n\r\n', '\0\0\0', 'GET / HTTP/9.9\r\n\r\n'])(
  'a submission followed by the stray bytes %j is answered with the task that it started',
  async (stray) => {
    const answers = await exchange(holdfast.url, post('/tasks/fetch-joke', '{}') + stray);
    expect(answers.map(({ status }) => status)[0]).toBe(202);
    const { id } = JSON.parse(answers[0]?.text ?? '');
    expect(await holdfast.read(id)).toMatchObject({ id, status: 'queued' });
  },
);

// Seen to fail while cancel did not read its body.
test.each([
  ['junk{', 'text/plain', 'unsupported-media-type'],
  ['junk{', 'application/json', 'bad-request'],
  ['{"why":"because"}', 'application/json', 'invalid-input'],
] as const)('a cancel with the body %s as %s is refused, the task untouched', async (body, type, slug) => {
  const { id } = await holdfast.submit();
  const headers = { 'content-type': type };
  const answer = await holdfast.call('POST', `/tasks/${id}/cancel`, { headers, body });
  expectProblem(answer, slug);
  expect((await holdfast.read(id)).status).toBe('queued');
  expect(
    (
      await holdfast.call('POST', `/tasks/${id}/cancel`, {
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
    ).status,
  ).toBe(202);
});
