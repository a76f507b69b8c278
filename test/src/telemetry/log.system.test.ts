import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { findFreePort } from '../../../local/processes/ports.ts';
import { createDirectory, run, waitFor } from '../../support/processes.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

// Seen to fail with pino's own destination, which retries the lost lines at exit and never ends.
test('a process ends on request although its stdout has been closed', async () => {
  const { child, lines, ended } = run(process.execPath, ['--import', 'tsx', join(root, 'src/server.ts')], {
    PORT: String(await findFreePort()),
    TEMPORAL_ADDRESS: inject('devServer'),
    LOG_LEVEL: 'info',
    API_KEYS: '',
  });
  await waitFor(() => lines.some((line) => line.includes('API listens')));
  child.stdout.destroy();
  child.kill('SIGTERM');
  const askedAt = performance.now();
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - askedAt).toBeLessThan(4_000);
}, 60_000);

/** Creates a full pipe that nobody reads. Returns its end for writers, and a function that reads from it. */
function createStalledPipe() {
  const path = join(createDirectory(), 'log');
  execFileSync('mkfifo', [path]);
  const ours = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const page = Buffer.alloc(4_096, 10);
  const fill = (): void => {
    try {
      for (;;) writeSync(ours, page);
    } catch {
      // EAGAIN: the pipe is full.
    }
  };
  fill();
  const read = (): string => {
    try {
      const buffer = Buffer.alloc(65_536);
      return buffer.toString('utf8', 0, readSync(ours, buffer));
    } catch {
      return '';
    }
  };
  return { read, theirs: openSync(path, 'w') };
}

/** Starts an entry point of `src/` that logs everything to `stdout`. */
function startWith(script: string, stdout: number | 'pipe', env: Record<string, string>) {
  const child = spawn(process.execPath, ['--import', 'tsx', join(root, script)], {
    env: { ...process.env, API_KEYS: '', LOG_LEVEL: 'trace', TEMPORAL_ADDRESS: inject('devServer'), ...env },
    stdio: ['ignore', stdout, 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended: once(child, 'exit') };
}

const isUp = (url: string) =>
  waitFor(async () => (await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined))?.ok, 30_000);

async function readDropped(url: string) {
  const page = await (await fetch(`${url}/metrics`)).text();
  return Number(/^holdfast_log_lines_dropped_total (\d+)$/m.exec(page)?.[1]);
}

const longPath = `/tasks/${'x'.repeat(7_000)}`;

// Seen to fail with synchronous writes: the process stopped at its first line, and SIGTERM had no effect.
test('if nobody reads its pipe, the API still answers and ends on SIGTERM, and dropped lines are counted', async () => {
  const { read, theirs } = createStalledPipe();
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const { child, ended } = startWith('src/server.ts', theirs, { PORT: `${port}` });
  await isUp(`${url}/health`);
  expect(await readDropped(url)).toBe(0);
  for (let n = 0; n < 400; n += 1) await (await fetch(url + longPath)).text();
  const dropped = await readDropped(url);
  expect(dropped).toBeGreaterThan(50);

  // The reader continues. It gets the lines that were kept, and then the number of dropped lines.
  let text = '';
  await waitFor(() => {
    text += read();
    return text.includes('lines were dropped');
  });
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  expect(JSON.parse(lines[0] ?? '').msg).toContain('API listens');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ dropped: expect.any(Number), process: 'api' });

  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}, 90_000);

test('if nobody reads its pipe, a worker still answers and ends on SIGTERM', async () => {
  const { theirs } = createStalledPipe();
  const port = await findFreePort();
  const address = { WORKER_METRICS_ADDRESS: `127.0.0.1:${port}`, TASK_QUEUE: `test-log-${port}` };
  const { child, ended } = startWith('src/worker.ts', theirs, address);
  await isUp(`http://127.0.0.1:${port}/health`);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}, 90_000);

test('if nobody reads its socket, the API still answers and ends on SIGTERM', async () => {
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  // For `pipe`, Node gives the child a socket. Nothing reads from it until the stream flows.
  const { child, ended } = startWith('src/server.ts', 'pipe', { PORT: `${port}` });
  await isUp(`${url}/health`);
  for (let n = 0; n < 400; n += 1) await (await fetch(url + longPath)).text();
  expect(await readDropped(url)).toBeGreaterThan(50);
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}, 90_000);

// Seen to fail with pino's destination: the API ended at its first line, because the write failed.
test.runIf(process.platform === 'linux')(
  'a log file on a full disk fails no request, and lost lines are counted',
  async () => {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const { child, ended } = startWith('src/server.ts', openSync('/dev/full', 'w'), { PORT: `${port}` });
    await isUp(`${url}/health`);
    expect((await fetch(`${url}/tasks/nothing`)).status).toBe(404);
    expect(await readDropped(url)).toBeGreaterThan(1);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
  60_000,
);

/** Logs one line with `src/telemetry/log.ts` on a terminal, with only these packages installed. Returns the line. */
async function logOnTerminal(packages: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-log-'));
  const modules = join(directory, 'node_modules');
  mkdirSync(modules);
  for (const name of packages) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  copyFileSync(join(root, 'src/telemetry/log.ts'), join(directory, 'log.mts'));
  const script = join(directory, 'script.mts');
  writeFileSync(
    script,
    `process.stdout.isTTY = true;
    const { createLog } = await import('./log.mts');
    createLog({ logLevel: 'info' }, 'worker').info('hello');`,
  );
  const { lines, ended } = run(process.execPath, ['--import', import.meta.resolve('tsx'), script], {});
  expect(await ended).toEqual([0, null]);
  rmSync(directory, { recursive: true });
  return lines.join('\n');
}

// Seen to fail with a static import of pino-pretty.
test('a terminal gets readable lines, or JSON where pino-pretty is not installed', async () => {
  expect(await logOnTerminal(['pino', 'pino-pretty'])).toMatch(/INFO.*: hello/);
  expect(JSON.parse(await logOnTerminal(['pino']))).toMatchObject({ process: 'worker', msg: 'hello' });
}, 60_000);
