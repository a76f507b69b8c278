import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'];
const files = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean);
const read = (path: string) => readFileSync(join(root, path), 'utf8');
/** Workflows, and actions of our own, which may use other actions. */
const workflows = files.filter((path) => /^\.github\/(workflows|actions)\/.*\.ya?ml$/.test(path));

/** Returns the values of `uses` anywhere in a workflow. */
function toUses(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([name, value]) => (name === 'uses' ? [String(value)] : toUses(value)));
}

// Seen to fail with actions/checkout@v4: anyone who can move that tag can run code in our builds.
test('every action is pinned by the hash of a commit, and a comment names its version', () => {
  expect(workflows.length).toBeGreaterThan(1);
  for (const path of workflows) {
    const text = read(path);
    for (const action of toUses(parseYaml(text)).filter((used) => !used.startsWith('./'))) {
      expect(action, path).toMatch(/^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40}$/);
      expect(text, path).toMatch(new RegExp(`uses: ${action} # v\\d+\\.\\d+\\.\\d+$`, 'm'));
    }
  }
});

test('one action has one version in all workflows', () => {
  const used = new Set(workflows.flatMap((path) => toUses(parseYaml(read(path)))));
  const names = [...used].map((action) => action.replace(/@.*/, ''));
  expect(names).toEqual([...new Set(names)]);
});

/** Returns the ecosystem of Dependabot that reads the file. */
function toEcosystem(path: string): string | undefined {
  if (workflows.includes(path)) return 'github-actions';
  const names: Record<string, string> = {
    'package.json': 'npm',
    'requirements.txt': 'pip',
    'go.mod': 'gomod',
    Dockerfile: 'docker',
    'docker-compose.yml': 'docker-compose',
  };
  return names[basename(path)];
}

type Update = { 'package-ecosystem': string; directory?: string; directories?: string[] };

// Seen to fail without the entry for deploy/validate, and for docker-compose.
test('Dependabot reads every file that names versions of dependencies', () => {
  const { updates } = parseYaml(read('.github/dependabot.yml')) as { updates: Update[] };
  const covered = updates.flatMap(({ 'package-ecosystem': ecosystem, directory, directories = [directory ?? ''] }) =>
    directories.map((one) => `${ecosystem} ${one}`),
  );
  const needed = files.flatMap((path) => {
    const ecosystem = toEcosystem(path);
    const directory = ecosystem === 'github-actions' || dirname(path) === '.' ? '' : dirname(path);
    return ecosystem ? [`${ecosystem} /${directory}`] : [];
  });
  expect(new Set(needed).size).toBeGreaterThan(5);
  expect(covered.sort()).toEqual([...new Set(needed)].sort());
});
