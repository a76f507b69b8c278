import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBrowser } from '../../../support/browser.ts';
import { type Holdfast, startHoldfast } from '../../../support/holdfast.ts';
import { expectSafeHeaders } from '../../../support/problem.ts';
import { toSecret } from '../../../support/signed-in.ts';

const secret = toSecret('reader');
let open: Holdfast;
let locked: Holdfast;
let browser: Browser;

beforeAll(async () => {
  [open, locked, browser] = await Promise.all([
    startHoldfast(),
    startHoldfast({ API_KEYS: `reader:${secret}` }),
    startBrowser(),
  ]);
});
afterAll(() => Promise.all([open.stop(), locked.stop(), browser.close()]));

const widths = [1_280, 400];

/** Opens the page in a browser. Returns it with its console errors and the URLs that it requested. */
async function read({ url }: Holdfast, width = 1_280) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  onTestFinished(() => page.close());
  const faults: string[] = [];
  const origins = new Set<string>();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('request', (request) => !request.url().startsWith('data:') && origins.add(new URL(request.url()).origin));
  await page.goto(`${url}/docs`);
  await page.locator('.opblock').first().waitFor();
  return { page, faults, origins };
}

/** Opens an operation, tries it out and returns the status that the page then shows. */
async function tryOut(page: Page, operationId: string): Promise<string | null> {
  const block = page.locator(`.opblock[id$="-${operationId}"]`);
  await block.locator('.opblock-summary-control').click();
  await block.getByRole('button', { name: 'Try it out' }).click();
  await block.getByRole('button', { name: 'Execute' }).click();
  return await block.locator('.live-responses-table .response-col_status').last().textContent();
}

// Seen to fail at 400 px, where the table of responses was wider than the page.
test.each(widths)('the page shows every operation and tries one at %i px, and calls only this API', async (width) => {
  const { page, faults, origins } = await read(open, width);
  const { paths } = (await open.call('GET', '/openapi.json')).body as { paths: Record<string, object> };
  const operations = Object.values(paths).flatMap((item) => Object.keys(item));
  expect(await page.locator('.opblock').count()).toBe(operations.length);
  expect(await page.locator('h1, h2').first().textContent()).toContain('Holdfast');
  expect(await tryOut(page, 'readHealth')).toBe('200');
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  expect(faults).toEqual([]);
  expect([...origins]).toEqual([open.url]);
});

test('the page needs no key, and makes calls with the key that it is given', async () => {
  const { page, faults } = await read(locked);
  expect(faults).toEqual([]);
  expect(await tryOut(page, 'listTasks')).toBe('401');
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  await page.locator('.auth-container input').fill(secret);
  await page.locator('.auth-btn-wrapper').getByRole('button', { name: 'Apply credentials' }).click();
  await page.locator('.btn-done').click();
  await page.getByRole('button', { name: 'Execute' }).click();
  const status = page.locator('.live-responses-table .response-col_status');
  await status.getByText('200').waitFor();
});

test.each(['', '/start.js', '/page.css', '/swagger-ui-bundle.js', '/swagger-ui.css'])(
  '/docs%s has safe headers',
  async (name) => {
    const { status, headers } = await fetch(`${locked.url}/docs${name}`);
    expect(status).toBe(200);
    expectSafeHeaders({ headers });
  },
);

test('the page is still a document with a title in a browser that cannot run it', async () => {
  expect((await open.fetch('GET', '/docs')).text).toContain('<title>Holdfast API</title>');
});

// Seen to fail: 200 strangers that asked for them again and again kept a new connection waiting for seconds.
test.each(['/openapi.json', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css'])(
  '%s closes its connection, so that strangers who ask again and again wait behind new connections',
  async (path) => {
    const answer = await fetch(`${open.url}${path}`);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(2 ** 16);
    expect(answer.headers.get('connection')).toBe('close');
  },
);
