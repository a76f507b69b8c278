import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { nodeArguments } from '../../../cli/node-arguments.ts';
import { startHttpProxy } from '../../support/http-proxy.ts';
import { run } from '../../support/processes.ts';

const script = fileURLToPath(new URL('../../support/run-attempt.ts', import.meta.url));
const toPath = (name: string) => fileURLToPath(new URL(`../../support/tls/${name}`, import.meta.url));
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/**
 * Starts an https upstream on loopback, and a proxy. Only the proxy can resolve the upstream's name, upstream.invalid.
 * The upstream's certificate is for that name and for localhost, and is signed by the CA in test/support/tls.
 */
async function startUpstreamAndProxy() {
  const tls = { key: readFileSync(toPath('server.key')), cert: readFileSync(toPath('server.pem')) };
  const upstream = createServer(tls, (_, response) => response.end('{"id":"1","value":"ha","url":"u"}'));
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port } = upstream.address() as AddressInfo;
  const proxy = await startHttpProxy({ names: { 'upstream.invalid': port } });
  ends.push(
    proxy.close,
    () => upstream.close(),
    () => upstream.closeAllConnections(),
  );
  return { proxy, port };
}

/** Runs one attempt in a process with these variables, and returns how it ended. */
async function runAttempt(env: Record<string, string>) {
  const own = { API_BASE_URL: 'https://upstream.invalid', NO_PROXY: '', no_proxy: '', ...env };
  const { lines, ended, errors } = run(process.execPath, nodeArguments(script), own);
  await ended;
  return lines.at(-1) ?? errors();
}

it.each(['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY'])(
  'an https upstream is called through a tunnel of %s, and its CA comes from NODE_EXTRA_CA_CERTS',
  async (variable) => {
    const { proxy } = await startUpstreamAndProxy();
    expect(await runAttempt({ [variable]: proxy.url, NODE_EXTRA_CA_CERTS: toPath('ca.pem') })).toBe('ha');
    expect(proxy.calls.map(({ line }) => line)).toEqual(['CONNECT upstream.invalid:443']);
  },
);

it('an https upstream on loopback is called directly, and its CA comes from NODE_EXTRA_CA_CERTS', async () => {
  const { proxy, port } = await startUpstreamAndProxy();
  const env = { API_BASE_URL: `https://localhost:${port}`, HTTPS_PROXY: proxy.url };
  expect(await runAttempt({ ...env, NODE_EXTRA_CA_CERTS: toPath('ca.pem') })).toBe('ha');
  expect(proxy.calls).toEqual([]);
});

it('an https upstream with a certificate of an unknown CA or for another name is not trusted', async () => {
  const { proxy, port } = await startUpstreamAndProxy();
  const toFailure = (code: string) => `UpstreamUnreachable: The upstream could not be reached (${code})`;
  const routes: Record<string, string>[] = [{ HTTPS_PROXY: proxy.url }, { API_BASE_URL: `https://localhost:${port}` }];
  for (const env of routes)
    expect(await runAttempt({ ...env, NODE_EXTRA_CA_CERTS: '' })).toBe(toFailure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'));
  const env = { API_BASE_URL: `https://127.0.0.1:${port}`, NODE_EXTRA_CA_CERTS: toPath('ca.pem') };
  expect(await runAttempt(env)).toBe(toFailure('ERR_TLS_CERT_ALTNAME_INVALID'));
});
