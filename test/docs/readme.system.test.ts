import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, inject, test } from 'vitest';
import { startJokeApi } from '../../local/joke-api/create-joke-api.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { eventually } from '../support/holdfast.ts';
import { startProcess } from '../support/start-process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'holdfast-readme-'));
for (const name of ['src', 'package.json', 'tsconfig.json'])
  cpSync(join(root, name), join(copy, name), { recursive: true });
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

type Step = { file: string; language: string; code: string };

/** Reads the steps of *Add a task*. Each code block belongs to the last file named before it. */
function readSteps(): Step[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const [, section = ''] = /^## Add a task\n(.*?)^## /ms.exec(readme) ?? [];
  let file = '';
  return [...section.matchAll(/^`(src\/[^`]+)`$|^```(diff|ts)\n(.*?)^```$/gms)].flatMap(
    ([, name, language = '', code = '']) => {
      file = name ?? file;
      return name ? [] : [{ file, language, code }];
    },
  );
}

function follow({ file, language, code }: Step): void {
  const path = join(copy, file);
  if (language === 'ts') {
    writeFileSync(path, code);
    return;
  }
  const side = (without: string) =>
    code
      .split('\n')
      .filter((line) => line && !line.startsWith(without))
      .map((line) => line.slice(1))
      .join('\n');
  const before = readFileSync(path, 'utf8');
  expect(before.split(side('+')), `${file} has the lines that the README shows`).toHaveLength(2);
  writeFileSync(path, before.replace(side('+'), side('-')));
}

const typeFaults = () =>
  promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit'], {
    cwd: copy,
  }).then(
    () => '',
    ({ stdout }) => String(stdout),
  );

test("following the README's *Add a task* exactly gives a second task that runs end to end", async () => {
  const [catalogue, ...rest] = readSteps();
  if (!catalogue) throw new Error('README.md has no steps under *Add a task*');
  writeFileSync(
    join(copy, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      include: [join(copy, 'src')],
      compilerOptions: { types: ['node'] },
    }),
  );
  expect(await typeFaults()).toBe('');
  follow(catalogue);
  const faults = await typeFaults();
  for (const register of ['src/activities/index.ts', 'src/workflows/index.ts']) expect(faults).toContain(register);
  for (const step of rest) follow(step);
  expect(await typeFaults()).toBe('');

  const jokes = await startJokeApi();
  const environment = {
    TEMPORAL_ADDRESS: inject('devServer'),
    TASK_QUEUE: `readme-${randomUUID()}`,
    API_BASE_URL: jokes.url,
    PORT: String(await findFreePort()),
  };
  const processes = [startProcess('worker', environment, copy), startProcess('server', environment, copy)];
  try {
    await Promise.all([processes[0]?.waitForOutput('Worker ready'), processes[1]?.waitForOutput('API listens')]);
    const url = `http://127.0.0.1:${environment.PORT}`;
    const submitted = await fetch(`${url}/tasks/list-categories`, { method: 'POST' });
    expect(submitted.status).toBe(202);
    const getJson = async (path: string) => (await (await fetch(`${url}${path}`)).json()) as Record<string, unknown>;
    const read = () => getJson(submitted.headers.get('location') ?? '');
    const task = await eventually(read, ({ finishedAt }) => finishedAt !== undefined);
    expect(task).toMatchObject({
      name: 'list-categories',
      status: 'completed',
      output: { categories: expect.arrayContaining(['dev']) },
    });
    await processes[0]?.waitForOutput(': Listing categories (attempt 1/5)');
    expect(await getJson('/openapi.json')).toHaveProperty(['paths', '/tasks/list-categories']);
  } finally {
    await Promise.all(processes.map((child) => child.end()));
    await jokes.close();
  }
});
