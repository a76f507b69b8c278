import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
const files = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);

/** How many files stand directly in each folder. */
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
