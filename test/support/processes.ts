import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { until } from '../../cli/until.ts';
import { isAlive } from '../../local/processes/process-identity.ts';
import { readLock } from '../../local/start/lock-file.ts';

/** Creates a directory that is removed when the test is over. */
export function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
  onTestFinished(async () => {
    await untilUnused(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Waits until the watchdog of a killed start has ended the children. It reads their pids from the lock file. */
export async function untilUnused(dataDir: string) {
  await waitFor(() => !readLock(join(dataDir, 'lock.json'))?.children.some(isAlive), 20_000);
}

/** Polls until `fact` is truthy, and returns it. */
export const waitFor = <T>(fact: () => T | Promise<T>, withinMs = 15_000) => until(fact, { withinMs, everyMs: 20 });

/** Runs a process that is killed when the test is over. `lines` collects its stdout, `errors()` returns its stderr. */
export function run(command: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, lines, errors: () => errors, ended, pid: child.pid as number };
}

/** Returns code for a Node process that writes to `file` when SIGTERM arrives, and again when it ends 0.3 s later. */
export const logTermination = (name: string, file: string) =>
  `const write = (text) => require('fs').appendFileSync(${JSON.stringify(file)}, '${name} ' + text + '\\n');
   const end = () => { write('ended'); process.exit() };
   process.on('SIGTERM', () => { write('asked'); setTimeout(end, 300) });`;

/** Starts a Node process that does nothing. `onTerm` is code that installs a handler for SIGTERM. */
export async function runIdle({ onTerm = '' } = {}) {
  const idle = run(process.execPath, ['-e', `${onTerm} console.log('up'); setInterval(() => {}, 1e6)`]);
  await waitFor(() => idle.lines.includes('up'));
  return idle;
}

export const ignoreTerm = `process.on('SIGTERM', () => {});`;

/** Starts `hold-lock.ts` and waits until it is ready. `tryNow` makes it try to take the lock. */
export async function runHolder(dataDir: string, children: object[] = []) {
  const script = fileURLToPath(new URL('./hold-lock.ts', import.meta.url));
  const holder = run(process.execPath, [...nodeArguments(script), dataDir, JSON.stringify(children)]);
  await waitFor(() => holder.lines.includes('waiting'));
  return { ...holder, tryNow: () => holder.child.stdin.write('\n') };
}

export const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

/** Returns the file's text, or undefined if there is no such file. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
