import { afterEach, expect, it } from 'vitest';
import { usesJokeApi } from '../../../local/start/upstream.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { startHttpProxy } from '../../support/http-proxy.ts';
import { jokeAnswer, startRawUpstream } from '../../support/raw-upstream.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

it('npm start finds the default upstream through the proxy of the workers', async () => {
  const upstream = await startRawUpstream(({ socket }) => socket.write(jokeAnswer()));
  const proxy = await startHttpProxy({ names: { 'upstream.invalid': upstream.port } });
  ends.push(upstream.close, proxy.close);
  const config = loadConfig({ API_BASE_URL: 'http://upstream.invalid', HTTP_PROXY: proxy.url });
  expect(await usesJokeApi({ ...config, upstreamIsDefault: true }, { demo: false, say: () => {} })).toBe(false);
  proxy.close();
  expect(await usesJokeApi({ ...config, upstreamIsDefault: true }, { demo: false, say: () => {} })).toBe(true);
});
