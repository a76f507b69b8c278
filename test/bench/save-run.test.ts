import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pages, putIntoSection, savedRun } from '../../bench/report/save-run.ts';
import type { BenchResult } from '../../bench/result.ts';

test('a section of a page is replaced between its comments, and a page without one is refused', () => {
  const page = 'before\n<!-- bench -->\nold | $1\n<!-- /bench -->\nafter\n';
  const changed = 'before\n<!-- bench -->\n| new | $1 |\n<!-- /bench -->\nafter\n';
  expect(putIntoSection(page, '| new | $1 |')).toBe(changed);
  expect(putIntoSection(changed, '| new | $1 |')).toBe(changed);
  expect(() => putIntoSection('before', 'x')).toThrow('no section');
});

test('the tables of README and docs/performance.md come from the saved run', () => {
  for (const [name, toContent] of Object.entries(pages)) {
    const page = readFileSync(name, 'utf8');
    expect(page).toMatch(/<!-- bench -->\n.*<!-- \/bench -->/s);
    if (!existsSync(savedRun)) continue;
    const result: BenchResult = JSON.parse(readFileSync(savedRun, 'utf8'));
    expect(page).toBe(putIntoSection(page, toContent(result)));
  }
});
