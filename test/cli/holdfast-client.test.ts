import { afterEach, expect, it } from 'vitest';
import { createHoldfastClient, NoAnswer } from '../../cli/client/holdfast-client.ts';
import { toTarget } from '../../cli/client/target.ts';
import { startHttpProxy } from '../support/http-proxy.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

const list = '{"items":[],"nextCursor":null}';

it('a Holdfast that only a proxy can reach is called through it', async () => {
  const holdfast = await startRawUpstream(({ socket }) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${list.length}\r\n\r\n${list}`),
  );
  const proxy = await startHttpProxy({ names: { 'holdfast.invalid': holdfast.port } });
  ends.push(holdfast.close, proxy.close);
  const target = toTarget({ HOLDFAST_URL: 'http://holdfast.invalid', HTTP_PROXY: proxy.url });
  expect(await createHoldfastClient(target).list()).toEqual(JSON.parse(list));
  expect(proxy.calls.map(({ line }) => line)).toEqual(['GET http://holdfast.invalid/tasks']);
});

it.each([6_000, 10_080])(
  'a Holdfast on port %i is called as on any other port, and a failure names its code',
  async (port) => {
    const calls = createHoldfastClient({ url: `http://127.0.0.3:${port}` }).list();
    await expect(calls).rejects.toBeInstanceOf(NoAnswer);
    await expect(calls).rejects.toMatchObject({ isRefused: true, message: expect.stringContaining('(ECONNREFUSED)') });
  },
);

it('an invalid proxy URL is a fault that does not repeat the URL', () => {
  const environment = { HOLDFAST_URL: 'http://holdfast.invalid', HTTPS_PROXY: 'http://me:hunter2@' };
  expect(() => toTarget(environment)).toThrow(/HTTPS_PROXY must be the http:\/\/ or https:\/\/ URL of an HTTP proxy$/);
});
