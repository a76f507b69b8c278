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

/** A directory that is removed when the test is over. */
export function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-'));
  onTestFinished(async () => {
    await untilUnused(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** The watchdog of a killed start reads the lock file in `dataDir` to do its work: leave it there that long. */
export async function untilUnused(dataDir: string) {
  await waitFor(() => !readLock(join(dataDir, 'lock.json'))?.children.some(isAlive), 20_000);
}

/** Polls until `fact` is truthy, and returns it. */
export const waitFor = <T>(fact: () => T | Promise<T>, withinMs = 15_000) => until(fact, { withinMs, everyMs: 20 });

/** A process of this test, killed at its end whatever happened; `lines` grows with what it prints, `errors` with its stderr. */
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

/** The code of a Node process that writes to `file` when it is asked to end, and when it does so a little later. */
export const signing = (name: string, file: string) =>
  `const write = (text) => require('fs').appendFileSync(${JSON.stringify(file)}, '${name} ' + text + '\\n');
   const end = () => { write('ended'); process.exit() };
   process.on('SIGTERM', () => { write('asked'); setTimeout(end, 300) });`;

/** A Node process that does nothing: once it is up, SIGTERM ends it, does nothing, or is signed. */
export async function runIdle({ onTerm = '' } = {}) {
  const idle = run(process.execPath, ['-e', `${onTerm} console.log('up'); setInterval(() => {}, 1e6)`]);
  await waitFor(() => idle.lines.includes('up'));
  return idle;
}

export const ignoreTerm = `process.on('SIGTERM', () => {});`;

/** `hold-lock.ts`, up to the point where it waits for the word to try. */
export async function runHolder(dataDir: string, children: object[] = []) {
  const script = fileURLToPath(new URL('./hold-lock.ts', import.meta.url));
  const holder = run(process.execPath, [...nodeArguments(script), dataDir, JSON.stringify(children)]);
  await waitFor(() => holder.lines.includes('waiting'));
  return { ...holder, tryNow: () => holder.child.stdin.write('\n') };
}

export const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

/** What a file says, once it is there. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
