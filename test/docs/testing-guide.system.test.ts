import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Holdfast, startHoldfast } from '../support/holdfast.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guide = readFileSync(`${root}/docs/testing.md`, 'utf8');
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> };

// The commands of the guide: the lines of every shell block, and commands within the text.
const shellLines = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.trim().split('\n'));
const inline = [...guide.matchAll(/`((?:npm|npx) [^`]+)`/g)].map(([, command = '']) => command);
const commands = [...new Set([...shellLines, ...inline])];

// Quick commands that work in any checkout are run unchanged. The value is the expected exit code.
const cheap: Record<string, number> = {
  'npm run plan': 0,
  'npm run plan -- --max-attempts 8 --base-delay 1 --jitter 0.2': 0,
  'npm run plan -- --check': 1,
  'npm run stress:backoff -- --only 1,7': 0,
  'npx vitest run test/src/policy.test.ts': 0,
  'npx vitest run test/src/policy.test.ts -t "2, 4, 8" --reporter=verbose': 0,
};

let holdfast: Holdfast;
beforeAll(async () => {
  holdfast = await startHoldfast({ BASE_DELAY: '0.2' });
  await holdfast.startWorker();
});
afterAll(() => holdfast.stop());

/** Runs a line in a shell, as a reader would. The guide's ports become those of this test's Holdfast and joke API. */
async function runLine(line: string): Promise<{ code: number; output: string }> {
  const here = line
    .replace('localhost:8000', new URL(holdfast.url).host)
    .replace('localhost:8100', new URL(holdfast.jokes.url).host);
  const env = {
    ...process.env,
    HOLDFAST_URL: holdfast.url,
    TEMPORAL_CLI_PATH: inject('temporal').path,
    TEMPORAL_TEST_SERVER_PATH: inject('timeSkippingServer'),
  };
  return await promisify(execFile)('sh', ['-c', here], { cwd: root, env, timeout: 120_000 }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    ({ code, stdout, stderr }) => ({ code: code as number, output: `${stdout}${stderr}` }),
  );
}

test('the guide has every command that this test runs', () => {
  expect(commands.length).toBeGreaterThan(30);
  expect(commands).toEqual(expect.arrayContaining(Object.keys(cheap)));
});

test.each(commands.filter((command) => /^npm (run|start|test)/.test(command)))(
  '%s names a script that exists',
  (command) => {
    const [, name = ''] = /^npm (?:run )?(?:-s )?([a-z:-]+)/.exec(command) ?? [];
    expect(Object.keys(scripts)).toContain(name);
  },
);

test.each(commands.filter((command) => command.startsWith('npx vitest run')))(
  '%s names files that exist',
  (command) => {
    const paths = command.split(' ').filter((part) => part.startsWith('test/'));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) expect(existsSync(`${root}/${path}`), path).toBe(true);
  },
);

const withFlags = commands.filter((command) => /^npm run (stress|scenario|plan|task|fuzz).* --\w/.test(command));
test.concurrent.each(withFlags)('every flag of %s is in the help of its command', async (command) => {
  const [, name = '', subcommand = ''] =
    /^npm run (\S+)(?: -- ((?:fetch-joke|list|status|cancel)\b)?)?/.exec(command) ?? [];
  const { output } = await runLine(`npm run ${name} -- ${subcommand} --help`);
  for (const [flag] of command.split(' -- ')[1]?.matchAll(/--[a-z-]+/g) ?? []) expect(output).toContain(flag);
});

test.each(Object.entries(cheap))(
  '%s runs and ends with exit code %i',
  async (command, expected) => {
    const { code, output } = await runLine(command);
    expect(code, output).toBe(expected);
  },
  120_000,
);

test('the manual scenario gives what the guide says', async () => {
  const lines = shellLines.filter((line) => /^curl|^npm run task/.test(line));
  expect(lines).toHaveLength(5);
  const answers: string[] = [];
  for (const line of lines) {
    const { code, output } = await runLine(line);
    expect(code, `${line}\n${output}`).toBe(0);
    answers.push(output);
  }
  const [, watched, listed, metrics, ready] = answers;
  expect(watched).toMatch(/retrying.*UpstreamUnavailable[\s\S]*completed/);
  expect(listed).toBeDefined();
  expect(metrics).toContain('holdfast_submissions_total');
  expect(ready).toContain('ready');
}, 120_000);
