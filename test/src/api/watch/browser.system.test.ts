import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../../../local/processes/ports.ts';
import type { Environment } from '../../../../src/config/config.ts';
import { startBrowser } from '../../../support/browser.ts';
import { eventually, type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { createOwnTemporal } from '../../../support/own-temporal.ts';
import { signIn, toSecret } from '../../../support/signed-in.ts';
import { type StartedProcess, startProcess } from '../../../support/start-process.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

/** Starts an API as a process that can be killed and started again on its port, and opens its page in the browser. */
async function openPage(holdfast: Holdfast, environment: Environment = {}) {
  const port = await findFreePort();
  const { config } = holdfast;
  let server: StartedProcess;
  const api = {
    url: `http://127.0.0.1:${port}`,
    kill: () => server.end('SIGKILL'),
    async start() {
      server = startProcess('server', {
        TEMPORAL_ADDRESS: config.temporal.address,
        TASK_QUEUE: config.taskQueue,
        PORT: `${port}`,
        ...environment,
      });
      await server.waitForOutput('API listens');
    },
  };
  onTestFinished(() => void server.end('SIGKILL'));
  await api.start();
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.goto(`${api.url}/docs`);
  const untilSeen = (status: string) =>
    eventually(
      () => page.evaluate<string[]>('seen'),
      (seen) => seen.includes(status),
    );
  return { api, page, untilSeen };
}

// Seen to fail when the answer was a 503: the EventSource then gave up.
test("a browser's EventSource survives a restart of the API while Temporal is unavailable, and gets later states", async () => {
  const temporal = await createOwnTemporal();
  onTestFinished(() => temporal.remove());
  await temporal.start();
  const holdfast = await startHoldfast({ TEMPORAL_ADDRESS: temporal.address });
  onTestFinished(() => holdfast.stop());
  const { id, links } = await holdfast.submit();
  const { api, page, untilSeen } = await openPage(holdfast);
  await page.evaluate(`
    var seen = [];
    var source = new EventSource('${links.events}');
    source.addEventListener('task', ({ data }) => seen.push(JSON.parse(data).status));
  `);
  await untilSeen('queued');

  await api.kill();
  await temporal.kill();
  await api.start();
  await eventually(
    () => page.evaluate('source.readyState'),
    (state) => state === 1,
  );
  await temporal.start();
  await eventually(
    () => holdfast.call('POST', `/tasks/${id}/cancel`),
    ({ status }) => status === 202,
  );
  await untilSeen('cancelling');
}, 120_000);

const guide = readFileSync(new URL('../../../../docs/api.md', import.meta.url), 'utf8');
const [, snippet = ''] = /^```js\n(.*?)^```$/ms.exec(guide) ?? [];

// Seen to fail without `authorization`, without `last-event-id` and without the wait for the next connection.
test("the guide's function follows a task with a key in a browser, through a restart of the API, until the task ends", async () => {
  const secret = toSecret('reader');
  const keys = { API_KEYS: `reader:${secret}` };
  const holdfast = await startHoldfast({ TEMPORAL_ADDRESS: inject('devServer'), ...keys });
  onTestFinished(() => holdfast.stop());
  const reader = signIn(holdfast, secret);
  const { id, links } = await reader.submit();
  const { api, page, untilSeen } = await openPage(holdfast, keys);
  const follow = (key: string) => `follow('${links.events}', '${key}', ({ status }) => seen.push(status))`;
  await page.evaluate(`${snippet} var seen = []; var followed = ${follow(secret)}; undefined`);
  await untilSeen('queued');

  await api.kill();
  await api.start();
  expect(await reader.call('POST', `/tasks/${id}/cancel`)).toMatchObject({ status: 202 });
  await untilSeen('cancelling');
  await holdfast.startWorker();
  await page.evaluate('followed');
  expect(await page.evaluate('seen')).toEqual(['queued', 'cancelling', 'cancelled']);
  await expect(page.evaluate(follow(randomUUID()))).rejects.toThrow('HTTP 401');
}, 120_000);
