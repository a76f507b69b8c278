import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { toChildPids } from '../../bench/resources.ts';
import type { BenchResult } from '../../bench/result.ts';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { identify, isAlive } from '../../local/processes/process-identity.ts';
import { startBrowser } from '../support/browser.ts';
import { run, waitFor } from '../support/processes.ts';

const script = fileURLToPath(new URL('../../scripts/bench.ts', import.meta.url));
const bench = (...args: string[]) =>
  run(process.execPath, [...nodeArguments(script), ...args], { TEMPORAL_CLI_PATH: inject('temporal').path });

test.each([
  [['--only', 'sidekiq'], /There is no sidekiq; there are holdfast, stock, origin, pg-boss/],
  [['--rounds', '0'], /whole number from 1 to 50/],
  [['--fast'], /unknown option '--fast'/],
])('%j is refused with what there is, exit code 2', async (args, words) => {
  const { ended, errors } = bench(...args);
  expect(await ended).toEqual([2, null]);
  expect(errors()).toMatch(words);
});

describe('a short run of Holdfast beside bare Temporal', () => {
  const output = mkdtempSync(join(tmpdir(), 'holdfast-bench-test-'));
  let result: BenchResult;
  let printed: string;
  let browser: Browser;

  beforeAll(async () => {
    const args = ['--only', 'holdfast', '--rounds', '1', '--seconds', '0.5', '--output', output];
    const env = { ...process.env, TEMPORAL_CLI_PATH: inject('temporal').path };
    const running = promisify(execFile)(process.execPath, [...nodeArguments(script), ...args], { env });
    printed = (await running).stdout;
    result = JSON.parse(readFileSync(join(output, 'bench.json'), 'utf8'));
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(output, { recursive: true, force: true });
  });

  test('has a row for each with rates, latencies, CPU and memory, and the versions of what ran', () => {
    expect(result.rows.map(({ name }) => name)).toEqual([
      'Holdfast, single tasks',
      'bare Temporal',
      'Holdfast, single tasks as activities',
      'bare Temporal, activities',
      'Holdfast, batches',
    ]);
    for (const row of result.rows) {
      for (const figure of ['submissionRate', 'completionRate', 'cpuSecondsPer1000', 'memoryMiB'] as const)
        expect(row[figure].median).toBeGreaterThan(0);
      expect(row.submissionLatency.count).toBeGreaterThan(0);
      expect(row.executionLatency?.count).toBe(row.name === 'Holdfast, batches' ? undefined : 20);
      expect(row.versions[0]).toMatch(/^Temporal server \d+\.\d+/);
      expect(row.storage).toMatch(/SQLite/);
    }
  });

  test('prints the goals; a goal whose other system did not run is skipped', () => {
    const met = Object.fromEntries(result.goals.map(({ what, met }) => [what, met]));
    expect(met['tasks/s, activities / FastAPI + Procrastinate']).toBeUndefined();
    expect(met['batch items/s / single tasks/s']).toBeTypeOf('boolean');
    expect(printed).toMatch(/\| batch items\/s \/ DBOS +\| ≥ 5 +\| +\| skipped/);
    expect(result.slow.map(({ name }) => name)).toEqual(result.rows.map(({ name }) => name));
  });

  test('draws a page that says the same, without an error or a request', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const faults: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => faults.push(message.text()));
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    const url = pathToFileURL(join(output, 'bench.html')).href;
    await page.goto(url);
    await page.locator('html[data-drawn-width]').waitFor({ state: 'attached' });
    const cells = await page.locator('#systems tbody tr').allTextContents();
    for (const [index, { name, completionRate }] of result.rows.entries()) {
      expect(cells[index]).toContain(name);
      expect(cells[index]).toContain(Math.round(completionRate.median).toLocaleString('en'));
    }
    const goals = await page.locator('#goals tbody tr').allTextContents();
    for (const [index, { what, measured }] of result.goals.entries()) {
      expect(goals[index]).toContain(what);
      if (measured) expect(goals[index]).toContain(measured.median.toFixed(2));
    }
    expect(await page.locator('figure svg').count()).toBe(3);
    expect(faults).toEqual([]);
    expect(requests).toEqual([url]);
  });
});

test('Ctrl-C in the middle ends it with 130 and leaves no process', async () => {
  const running = bench('--only', 'holdfast', '--rounds', '2', '--seconds', '1');
  const collect = (pid: number): number[] => toChildPids(pid).flatMap((child) => [child, ...collect(child)]);
  const processes = await waitFor(() => {
    const found = collect(running.pid).flatMap((pid) => identify(pid) ?? []);
    return found.length >= 9 ? found : undefined;
  }, 60_000);
  running.child.kill('SIGINT');
  expect(await running.ended).toEqual([130, null]);
  await waitFor(() => !processes.some(isAlive));
});
