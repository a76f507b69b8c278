import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect, inject, test } from 'vitest';
import { listListeners } from '../../../proof/system/sockets.ts';
import { createInstallation, start, submit, untilReady, untilRunning } from '../../support/installation.ts';
import { exchange } from '../../support/wire.ts';

type Call = { method?: string; path: string; headers?: Record<string, string>; body?: string };
type Answer = { status: number; text: string; cookie: string };

/** Sends with Node's own client, which allows any `Host`. Resolves with status 0 if what listens there is not HTTP. */
const send = (address: string, { method = 'GET', path, headers = {}, body }: Call) =>
  new Promise<Answer>((resolve) => {
    const outgoing = request(
      `http://${address}`,
      { method, path, headers, agent: false, timeout: 5_000 },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        const cookie = response.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text, cookie }));
      },
    );
    const isOther = () => resolve({ status: 0, text: '', cookie: '' });
    outgoing
      .on('timeout', () => outgoing.destroy())
      .on('error', isOther)
      .end(body);
  });

const workflows = '/api/v1/namespaces/default/workflows';

test('no listener of npm start serves a foreign web page, and the Web UI works', async () => {
  // Temporal's own server has no HTTP API, no metrics and no Web UI. Another server serves the Web UI.
  const hasOwnWebUi = inject('temporal').webUi !== undefined;
  const installation = await createInstallation();
  const started = start(installation, '--demo');
  await untilReady(started);
  const slow = { then: [{ delayMs: 60_000 }], repeat: true };
  await fetch(`${installation.jokeApi}/admin/rules`, { method: 'POST', body: JSON.stringify(slow) });
  const { id } = await submit(installation);
  await untilRunning(installation, id);

  const processes = [{ name: 'npm start', pid: started.pid }, ...installation.readChildren()];
  const listeners = processes.flatMap(({ name, pid }) =>
    listListeners(pid).map((address) => ({ name, address, port: Number(address.split(':').at(-1)) })),
  );
  const ports = listeners.map(({ port }) => port);
  expect(ports).toEqual(expect.arrayContaining(installation.ports));
  expect(new Set(listeners.map(({ name }) => name))).toEqual(
    new Set(['npm start', 'Temporal', ...(hasOwnWebUi ? ['Web UI'] : []), 'joke API', 'worker', 'API']),
  );

  // A page reaches 127.0.0.1 under a name of its own, but it cannot guess another address in 127.0.0.0/8.
  const reachable = listeners.filter(({ address }) => address.startsWith('127.0.0.1:'));
  expect(new Set(listeners.filter(({ address }) => !address.startsWith('127.')))).toEqual(new Set());
  const paths = ['/', '/health', '/metrics', '/admin/ledger', `/tasks/${id}`, workflows, `${workflows}/${id}`];
  // Some listeners never answer HTTP, so all calls are made at once.
  const served = await Promise.all(
    reachable.flatMap(({ name, address, port }) =>
      paths.map(async (path) => {
        const { status } = await send(address, { path, headers: { host: `elsewhere.example:${port}` } });
        return status >= 200 && status < 400 ? [`${name} ${path}`] : [];
      }),
    ),
  );
  // docs/trust-boundaries.md says what this endpoint of the CLI shows. The CLI has no setting that closes it.
  expect(served.flat()).toEqual(hasOwnWebUi ? [] : ['Temporal /metrics']);

  const foreignPost = async (address: string, path: string) => {
    const headers = { 'content-type': 'text/plain', origin: 'http://elsewhere.example' };
    const { status } = await send(address, { method: 'POST', path, headers, body: '{"then":[{}]}' });
    expect(status === 0 || status >= 400, `${address}${path}: ${status}`).toBe(true);
  };
  const changes = ['/admin/rules', `/tasks/${id}/cancel`, `${workflows}/${id}/terminate`];
  await Promise.all(reachable.flatMap(({ address }) => changes.map((path) => foreignPost(address, path))));
  expect(((await (await fetch(`${installation.jokeApi}/admin/rules`)).json()) as { items: [] }).items).toHaveLength(1);

  const webUi = `127.0.0.1:${installation.env.EMBEDDED_TEMPORAL_UI_PORT}`;
  // Node sends no such request to Temporal. The error ended npm start.
  const withTrailer = `GET / HTTP/1.1\r\nHost: ${webUi}\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n`;
  expect(await exchange(`http://${webUi}`, withTrailer)).toMatchObject([{ status: 400 }]);
  expect((await send(webUi, { path: '/' })).text).toContain('<html');
  expect((await send(webUi, { path: `${workflows}/${id}` })).text).toContain('WORKFLOW_EXECUTION_STATUS_RUNNING');
  const { cookie } = await send(webUi, { path: '/api/v1/settings' });
  const headers = { origin: `http://${webUi}`, cookie, 'x-csrf-token': cookie.split('=')[1] ?? '' };
  const terminate = { method: 'POST', path: `${workflows}/${id}/terminate`, body: '{}' };
  expect((await send(webUi, { ...terminate, headers })).status).toBe(200);
  expect((await send(webUi, { path: `${workflows}/${id}` })).text).toContain('WORKFLOW_EXECUTION_STATUS_TERMINATED');
}, 120_000);

/** Returns the environment with which the process was started. */
const readEnvironment = (pid: number) =>
  process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/environ`, 'utf8')
    : execFileSync('ps', ['eww', '-o', 'command=', '-p', `${pid}`], { encoding: 'utf8' });

test('each child of npm start has the secrets that it needs, and no others', async () => {
  const secrets = {
    API_KEYS: 'me:key-of-the-api-padded-to-32-characters',
    HOLDFAST_API_KEY: 'key-of-the-client',
    HTTPS_PROXY: 'http://user:password-of-the-proxy@127.0.0.1:9',
    UPSTREAM_TOKEN: 'token-of-the-upstream',
  };
  const installation = await createInstallation(secrets);
  const started = start(installation, '--demo');
  await untilReady(started);
  const found = installation.readChildren().map(({ name, pid }) => {
    const text = readEnvironment(pid);
    expect(text).toContain('PATH=');
    return [name, Object.entries(secrets).flatMap(([variable, value]) => (text.includes(value) ? [variable] : []))];
  });
  expect(Object.fromEntries(found)).toEqual({
    watchdog: [],
    Temporal: [],
    ...(inject('temporal').webUi && { 'Web UI': [] }),
    'joke API': [],
    worker: ['HTTPS_PROXY', 'UPSTREAM_TOKEN'],
    API: ['API_KEYS', 'UPSTREAM_TOKEN'],
  });
}, 120_000);
