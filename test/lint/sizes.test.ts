import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
const files = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);

/** Counts the files directly in each folder. */
const folders = new Map<string, number>();
for (const path of files) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);

test.each([
  ['src', 12],
  ['cli', 12],
  ['local', 12],
  ['proof', 15],
])('no folder of %s has more than %i files', (name, most) => {
  const inside = [...folders].filter(([folder]) => folder === name || folder.startsWith(`${name}/`));
  expect(inside.length).toBeGreaterThan(2);
  expect(inside.filter(([, count]) => count > most)).toEqual([]);
});

const countLines = (path: string) => readFileSync(join(root, path), 'utf8').split('\n').length - 1;

test.each([
  ['files of src', /^src\//, 150],
  ['commands in scripts', /^scripts\//, 60],
  ['README.md', /^README\.md$/, 150],
])('%s are within their maximum number of lines', (_, pattern, most) => {
  const measured = files.filter((path) => pattern.test(path)).map((path) => ({ path, lines: countLines(path) }));
  expect(measured.length).toBeGreaterThan(0);
  expect(measured.filter(({ lines }) => lines > most)).toEqual([]);
});

/** Returns the lines over 120 columns, except code blocks, tables and lines that are one long link. */
function toLongLines(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8').replace(/^( *)```.*?^\1```$/gms, '');
  return text
    .split('\n')
    .filter(
      (line) => line.length > 120 && !/^\s*\|/.test(line) && !/^\s*[-*]?\s*(\[[^\]]*\]:?\(?|<)?https?:\S+$/.test(line),
    )
    .map((line) => `${path}: ${line}`);
}

test('no line of prose in Markdown has more than 120 columns', () => {
  const pages = files.filter((path) => path.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(5);
  expect(pages.flatMap(toLongLines)).toEqual([]);
});
