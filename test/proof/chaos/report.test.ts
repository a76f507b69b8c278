import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ProveResult } from '../../../proof/chaos/judge/result.ts';
import { toResult } from '../../../proof/chaos/judge/to-result.ts';
import { renderReport, toProveReport } from '../../../proof/chaos/report/render-report.ts';
import { startBrowser } from '../../support/browser.ts';
import { createEvidence } from '../../support/evidence.ts';

const markup = '</script><script>window.hit = 1</script><img src=x onerror="window.hit = 1">';
const judge = (evidence: ReturnType<typeof createEvidence>) =>
  toResult(evidence, { command: 'npm run prove -- --seed 1', seconds: 42 });

const passed = judge(createEvidence());
/** Returns a result with a lost task, a phantom whose id is markup, an unverified fault and no recovery. */
function toFailed(): ProveResult {
  const evidence = createEvidence();
  const ghost = evidence.executions[0];
  evidence.executions = evidence.executions.filter(({ id }) => id !== 'retried');
  if (ghost) evidence.executions.push({ ...ghost, id: markup });
  for (const fault of evidence.faults) Object.assign(fault, { verified: false, seen: markup });
  return judge(evidence);
}

let browser: Browser;
const directory = mkdtempSync(join(tmpdir(), 'holdfast-prove-report-'));
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Opens the drawn page. `wrong` has its console messages, its errors and its requests for anything but the file. */
async function open(result: ProveResult, width: number): Promise<{ page: Page; wrong: string[] }> {
  const file = join(directory, 'prove.html');
  writeFileSync(file, toProveReport(result));
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  onTestFinished(() => page.close());
  const wrong: string[] = [];
  page.on('console', (message) => wrong.push(message.text()));
  page.on('pageerror', (error) => wrong.push(error.message));
  const url = pathToFileURL(file).href;
  page.on(
    'request',
    (request) => request.url() !== url && !request.url().startsWith('data:') && wrong.push(request.url()),
  );
  await page.goto(url);
  await page.waitForSelector('html[data-drawn-width]');
  return { page, wrong };
}

const failed = toFailed();
describe.each([1280, 400])('at a width of %i', (width) => {
  test.each([
    ['passed', passed],
    ['failed', failed],
  ] as const)(
    'the page of a run that %s has no error, sends no request and is not wider than the window',
    async (_, result) => {
      const { page, wrong } = await open(result, width);
      const overflow = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBeLessThanOrEqual(0);
      expect(await page.evaluate(() => (globalThis as { hit?: number }).hit)).toBeUndefined();
      expect(wrong).toEqual([]);
    },
  );

  test('the page shows the verdict, invariants, faults, figures and recovery of the result', async () => {
    const { page } = await open(passed, width);
    expect(await page.locator('#verdict-line').innerText()).toContain('Passed');
    expect(await page.locator('#run code').innerText()).toBe(passed.command);
    const rows = await page.locator('#invariants tbody tr').allInnerTexts();
    expect(rows).toHaveLength(passed.invariants.length);
    for (const [index, { name, title, meaning }] of passed.invariants.entries())
      for (const text of [name, title, meaning]) expect(rows[index]).toContain(text);
    expect(await page.locator('#guards tbody tr').count()).toBe(passed.guards.length);
    expect(await page.locator('#figures tbody tr').count()).toBe(Object.keys(passed.figures).length);
    expect(await page.locator('#timeline [aria-description="fault"] rect').count()).toBe(passed.faults.length);
    const bars = await page.locator('#recovery [aria-description="bin"] rect').count();
    expect(bars).toBe(new Set(passed.recovery.values).size);
    expect(await page.locator('#violations').innerText()).toContain('None.');
  });
});

test('each violation has its timeline, as text', async () => {
  const { page } = await open(failed, 1280);
  const violations = failed.invariants.flatMap(({ violations }) => violations);
  expect(violations.map(({ id }) => id)).toEqual(expect.arrayContaining(['retried', markup]));
  expect(await page.locator('#verdict-line').innerText()).toContain('Failed');
  const details = page.locator('#violations details');
  expect(await details.count()).toBe(violations.length);
  for (const [index, { id, text, story }] of violations.entries()) {
    const one = details.nth(index);
    await one.locator('summary').click();
    expect(await one.locator('summary').innerText()).toContain(text);
    expect(await one.locator('summary code').innerText()).toBe(id);
    expect(await one.locator('tbody tr').count()).toBe(story.length);
  }
});

test('a fault without effect is hollow, and the page says if no recovery could be judged', async () => {
  const { page } = await open(failed, 1280);
  expect(await page.locator('#timeline [aria-description="fault"] rect').first().getAttribute('fill')).toBe('none');
  const none = judge({ ...createEvidence(), faults: [] });
  const { page: without } = await open(none, 1280);
  expect(await without.locator('#recovery').innerText()).toContain('No call of a killed worker could be judged');
});

test('--render writes the page of a saved result beside it, or to another directory', () => {
  const saved = join(directory, 'saved.json');
  writeFileSync(saved, JSON.stringify(failed));
  const elsewhere = mkdtempSync(join(directory, 'elsewhere-'));
  for (const page of [renderReport(saved), renderReport(saved, elsewhere)])
    expect(readFileSync(page, 'utf8')).toBe(toProveReport(failed));
  expect(renderReport(saved)).toBe(join(directory, 'saved.html'));
  expect(renderReport(saved, elsewhere)).toBe(join(elsewhere, 'saved.html'));
});

test.each([
  ['no JSON', '<p>'],
  ['the JSON of something else', '{"verdict":"passed"}'],
  ['null', 'null'],
])('--render refuses a file with %s', (_, text) => {
  const file = join(directory, 'other.json');
  writeFileSync(file, text);
  expect(() => renderReport(file)).toThrow(`${file} is not a result of npm run prove.`);
});

test('--render names a file or directory that does not exist', () => {
  expect(() => renderReport('/nowhere/prove.json')).toThrow('/nowhere/prove.json cannot be read or written (ENOENT)');
  const saved = join(directory, 'saved.json');
  expect(() => renderReport(saved, '/nowhere')).toThrow('/nowhere/saved.html cannot be read or written (ENOENT)');
});
