import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { invariants } from '../../proof/chaos/judge/invariants/index.ts';
import type { ProveResult } from '../../proof/chaos/judge/result.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const files = readdirSync(fileURLToPath(new URL('../../docs/proof', import.meta.url))).filter((name) =>
  name.endsWith('.json'),
);
const guide = read('docs/proof/README.md');
const toText = (figure: number | string | undefined) =>
  typeof figure === 'number' ? figure.toLocaleString('en') : figure;

test('there are at least two long runs with different seeds, over 10,000 tasks and 300 faults each', () => {
  const results = files.map((file) => JSON.parse(read(`docs/proof/${file}`)) as ProveResult);
  const long = results.filter(({ command }) => command.includes('--tasks 10000 --faults 300'));
  expect(new Set(long.map(({ seed }) => seed)).size).toBeGreaterThanOrEqual(2);
});

test.each(files)('%s passed, and docs/proof quotes its figures', (file) => {
  const {
    verdict,
    command,
    figures,
    invariants: results,
    recovery,
  } = JSON.parse(read(`docs/proof/${file}`)) as ProveResult;
  expect(verdict).toBe('passed');
  expect(results.map(({ violated }) => violated)).toEqual(results.map(() => 0));
  const row = guide.split('\n').find((line) => line.includes(`(${file})`)) ?? '';
  const { count, p50, p99 } = recovery.percentiles;
  for (const text of [
    `\`${command}\``,
    verdict,
    toText(figures['tasks accepted, items and reruns included']),
    toText(figures['calls of the upstream']),
    figures['faults with effect'],
    toText(figures['verified kill -9']),
    `${toText(count)}: ${toText(p50)} / ${toText(p99)} ms`,
  ])
    expect(row).toContain(`| ${text} |`);
});

test('the README quotes a run whose report is in docs/proof', () => {
  const readme = read('README.md').replace(/\s+/g, ' ');
  const [, file = ''] = /\(docs\/proof\/([\w-]+\.json)\)/.exec(readme) ?? [];
  expect(files).toContain(file);
  const { command, figures } = JSON.parse(read(`docs/proof/${file}`)) as ProveResult;
  for (const text of [
    command,
    `${toText(figures['tasks accepted, items and reruns included'])} tasks`,
    `${toText(figures['calls of the upstream'])} calls`,
    `${toText(figures['verified kill -9'])} kills`,
    `${figures['faults with effect']} faults`,
  ])
    expect(readme).toContain(text);
});

test('docs/proof names every invariant', () => {
  for (const { name } of invariants) expect(guide).toContain(`| \`${name}\` |`);
});
