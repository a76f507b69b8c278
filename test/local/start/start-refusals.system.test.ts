import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { findFreePort, isListening } from '../../../local/processes/ports.ts';
import { usesJokeApi } from '../../../local/start/upstream.ts';
import { temporalServer } from '../../../local/temporal/embedded-temporal.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { createInstallation, start } from '../../support/installation.ts';
import { run, waitFor } from '../../support/processes.ts';

test('falls back to the joke API only if the default upstream is unreachable, and says so clearly', async () => {
  const said: string[] = [];
  const options = { demo: false, say: (line: string) => said.push(line) };
  const outOfReach = { ...loadConfig({}), upstreamUrl: 'http://127.0.0.1:9' };
  await expect(usesJokeApi(outOfReach, options)).resolves.toBe(true);
  expect(said).toEqual([expect.stringMatching(/^\*\*\* http:\/\/127\.0\.0\.1:9 CANNOT BE REACHED/)]);
  await expect(usesJokeApi({ ...outOfReach, upstreamIsDefault: false }, options)).resolves.toBe(false);
  const failing = createServer((_, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(failing, 'listening');
  const upstreamUrl = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
  await expect(usesJokeApi({ ...outOfReach, upstreamUrl }, options)).resolves.toBe(false);
  failing.close();
});

test('names each taken port with its variable, and starts nothing', async () => {
  const installation = await createInstallation();
  const taken = run(process.execPath, [
    '-e',
    `require('net').createServer().listen(${installation.env.PORT}, '127.0.0.1', () => console.log('up'))`,
  ]);
  await waitFor(() => taken.lines.includes('up'));
  const refused = start(
    { ...installation, env: { ...installation.env, JOKE_API_PORT: `${installation.env.EMBEDDED_TEMPORAL_PORT}` } },
    '--demo',
  );
  await expect(refused.ended).resolves.toEqual([1, null]);
  expect(refused.errors()).toContain(`Port ${installation.env.PORT} (PORT) is taken`);
  expect(refused.errors()).toContain('wanted twice, by EMBEDDED_TEMPORAL_PORT and JOKE_API_PORT');
  expect(existsSync(join(installation.dataDir, 'temporal.db'))).toBe(false);
});

// Negative control: without the check for processes that have the file open, the second server starts.
test('refuses a database that a manually started server has open', async () => {
  const installation = await createInstallation();
  mkdirSync(installation.dataDir);
  const port = await findFreePort();
  const where = { directory: installation.dataDir, port, namespace: 'default' };
  const { command, args } = await temporalServer(inject('temporal'), where);
  const byHand = run('sh', ['-c', 'cd "$0" && exec "$@"', installation.dataDir, command, ...args]);
  await waitFor(() => isListening(port));
  const refused = start(installation, '--demo');
  await expect(refused.ended).resolves.toEqual([1, null]);
  expect(refused.errors()).toContain(`temporal.db is open in process ${byHand.pid}`);
});

test.each([
  ['an unknown flag', ['--fast'], {}, 2, '--fast'],
  ['an argument', ['demo'], {}, 2, 'too many arguments'],
  ['a bad configuration', [], { PORT: 'x', WORKERS: '0' }, 78, 'WORKERS'],
])('ends at once on %s and changes nothing', async (_, flags, env, code, fault) => {
  const installation = await createInstallation(env);
  const started = start(installation, ...flags);
  await expect(started.ended).resolves.toEqual([code, null]);
  expect(started.errors()).toContain(fault);
  expect(existsSync(installation.dataDir)).toBe(false);
});
