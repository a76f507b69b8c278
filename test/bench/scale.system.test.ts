import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toScaleReport } from '../../bench/report/to-scale-report.ts';
import { toRates } from '../../bench/scale/measure-drain.ts';
import { type ScaleResult, toScaleText } from '../../bench/scale/result.ts';
import { runScale } from '../../bench/scale/run-scale.ts';
import { startBrowser } from '../support/browser.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-scale-test-'));
let result: ScaleResult;
let browser: Browser;

beforeAll(async () => {
  result = await runScale({
    sizes: { backlogs: [40, 80], workers: [1, 2], tasks: 40, clients: [2, 5] },
    quick: true,
    machine: 'a machine',
    say: () => {},
    progress: { update: () => {}, end: () => {} },
    signal: AbortSignal.timeout(110_000),
  });
  browser = await startBrowser();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

test('rates are of the whole drain, and of each tenth of it', () => {
  const samples = Array.from({ length: 11 }, (_, index) => ({ at: index * (index < 6 ? 100 : 200), done: index * 10 }));
  const { drainRate, tenths } = toRates(samples);
  expect(drainRate).toBe(50);
  expect(tenths[0]).toBe(100);
  expect(tenths[9]).toBe(50);
});

test('every drained backlog has rates, CPU seconds and memory of server, API and workers', () => {
  expect(result.workers.map(({ workers }) => workers)).toEqual([1, 2]);
  expect(result.backlogs.map(({ tasks }) => tasks)).toEqual([40, 80]);
  for (const { drainRate, cpuSecondsPer1000, memoryMiB } of [...result.workers, ...result.backlogs])
    for (const value of [drainRate, ...Object.values(cpuSecondsPer1000), ...Object.values(memoryMiB)])
      expect(value).toBeGreaterThan(0);
  expect(result.ratio).toBeCloseTo((result.backlogs[1]?.drainRate ?? 0) / (result.backlogs[0]?.drainRate ?? 0));
});

test('clients that follow tasks are held open while others submit', () => {
  expect(result.crowds.map(({ clients }) => clients)).toEqual([2, 5]);
  for (const { latency, memoryMiB } of result.crowds) {
    expect(latency.count).toBe(200);
    expect(memoryMiB).toBeGreaterThan(10);
  }
});

test('the text says whether the goal is met, and for which backlogs it counts', () => {
  expect(toScaleText(result)).toMatch(
    /Drain rate with 80 tasks, divided by the rate with 40: \d\.\d\d \(not judged: the goal of at least 0.9 is for backlogs of 20,000 and 1,000\)/,
  );
  const [small, large] = result.backlogs as [(typeof result.backlogs)[0], (typeof result.backlogs)[0]];
  const full = { ...result, ratio: 0.5, backlogs: [small, { ...large, tasks: 20_000 }] };
  expect(toScaleText(full)).toContain('0.50 (goal: at least 0.9, not met)');
});

test('the page draws its curves without an error or a request', async () => {
  const file = join(directory, 'scale.html');
  writeFileSync(file, toScaleReport(result));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const faults: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(pathToFileURL(file).href);
  await page.locator('html[data-drawn-width]').waitFor({ state: 'attached' });
  expect(await page.locator('figure svg').count()).toBe(6);
  expect(await page.locator('#backlog svg [aria-description="point"] > *').count()).toBe(20);
  expect(await page.locator('#ratio').textContent()).toContain(result.ratio.toFixed(2));
  expect(faults).toEqual([]);
  expect(requests).toEqual([pathToFileURL(file).href]);
});
