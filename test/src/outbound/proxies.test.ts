import { afterEach, expect, it } from 'vitest';
import { createAttempts } from '../../support/attempt.ts';
import { startHttpProxy } from '../../support/http-proxy.ts';
import { jokeAnswer, startRawUpstream } from '../../support/raw-upstream.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function startUpstreamAndProxy(refuseWith?: number) {
  const upstream = await startRawUpstream(({ socket }) => socket.write(jokeAnswer()));
  const proxy = await startHttpProxy({
    names: { 'upstream.invalid': upstream.port },
    ...(refuseWith && { refuseWith }),
  });
  ends.push(upstream.close, proxy.close);
  return { upstream, proxy };
}

const noProxies = { httpProxy: '', httpsProxy: '', noProxy: '' };

// Seen to fail before: ENOTFOUND.
it('an http upstream that only the proxy can reach is called through it, with an absolute URL', async () => {
  const { proxy } = await startUpstreamAndProxy();
  const proxies = { ...noProxies, httpProxy: proxy.url.replace('//', '//me:secret%40@') };
  const attempt = createAttempts({ upstreamUrl: 'http://upstream.invalid:8080/v1', proxies });
  expect([await attempt(), await attempt({ category: 'dev' })]).toEqual(['ha', 'ha']);
  const authorization = `Basic ${Buffer.from('me:secret@').toString('base64')}`;
  expect(proxy.calls).toEqual([
    { line: 'GET http://upstream.invalid:8080/v1/jokes/random', authorization },
    { line: 'GET http://upstream.invalid:8080/v1/jokes/random?category=dev', authorization },
  ]);
});

it('a host of NO_PROXY is called directly', async () => {
  const { proxy } = await startUpstreamAndProxy();
  const proxies = { ...noProxies, httpProxy: proxy.url, noProxy: 'other.invalid, .invalid' };
  expect(await createAttempts({ upstreamUrl: 'http://upstream.invalid', proxies })()).toMatch(
    /\((ENOTFOUND|EAI_AGAIN)\)$/,
  );
  expect(proxy.calls).toEqual([]);
});

// Seen to fail with undici's own reading of NO_PROXY.
it.each(['127.0.0.1', 'localhost'])('loopback (%s) is always called directly', async (host) => {
  const { upstream, proxy } = await startUpstreamAndProxy();
  const proxies = { ...noProxies, httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: 'elsewhere.invalid' };
  expect(await createAttempts({ upstreamUrl: `http://${host}:${upstream.port}`, proxies })()).toBe('ha');
  expect(proxy.calls).toEqual([]);
});

it.each([
  ['http://upstream.invalid', 407, 'GET http://upstream.invalid/jokes/random'],
  ['https://upstream.invalid', 407, 'CONNECT upstream.invalid:443'],
  ['https://upstream.invalid', 403, 'CONNECT upstream.invalid:443'],
])(
  'a proxy that refuses a call to %s with %i is named, and the attempt is retried',
  async (upstreamUrl, status, line) => {
    const { proxy } = await startUpstreamAndProxy(status);
    const proxies = { ...noProxies, httpProxy: proxy.url, httpsProxy: proxy.url };
    expect(await createAttempts({ upstreamUrl, proxies })()).toBe(
      `UpstreamUnreachable: The proxy in front of the upstream answered HTTP ${status}`,
    );
    expect(proxy.calls.map((call) => call.line)).toEqual([line]);
  },
);

it('a proxy that cannot be reached is retried', async () => {
  const { proxy } = await startUpstreamAndProxy();
  proxy.close();
  const proxies = { ...noProxies, httpProxy: proxy.url, httpsProxy: proxy.url };
  for (const upstreamUrl of ['http://upstream.invalid', 'https://upstream.invalid'])
    expect(await createAttempts({ upstreamUrl, proxies })()).toBe(
      'UpstreamUnreachable: The upstream could not be reached (ECONNREFUSED)',
    );
});

it('a call through a proxy that stays silent ends at the deadline of the attempt', async () => {
  const silent = await startRawUpstream(() => {});
  ends.push(silent.close);
  const proxies = { ...noProxies, httpProxy: silent.url, httpsProxy: silent.url };
  for (const upstreamUrl of ['http://upstream.invalid', 'https://upstream.invalid'])
    expect(await createAttempts({ upstreamUrl, proxies })({ timeoutMs: 500 })).toMatch(/^UpstreamTimeout: /);
});
