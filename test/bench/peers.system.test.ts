import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { BenchResult } from '../../bench/result.ts';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { findOnPath } from '../../local/obtain/cache.ts';

const script = fileURLToPath(new URL('../../scripts/bench.ts', import.meta.url));
const output = mkdtempSync(join(tmpdir(), 'holdfast-peers-'));
afterAll(() => rmSync(output, { recursive: true, force: true }));

/** A run to its end; what it printed, and its figures. */
async function bench(args: string[], env: Record<string, string> = {}) {
  const run = promisify(execFile)(process.execPath, [...nodeArguments(script), ...args, '--output', output], {
    env: { ...process.env, ...env },
  });
  const { stdout } = await run;
  const result: BenchResult = JSON.parse(readFileSync(join(output, 'bench.json'), 'utf8'));
  return { stdout, result };
}

test('every peer works off what it was given, and says what it is', async () => {
  const names = ['FastAPI + Procrastinate', 'pg-boss', 'graphile-worker', 'DBOS', 'BullMQ'];
  const keys = ['origin', 'pg-boss', 'graphile-worker', 'dbos', 'bullmq'];
  const { result } = await bench(['--only', keys.join(','), '--rounds', '1', '--seconds', '0.2']);
  expect(result.skipped).toEqual([]);
  expect(result.rows.map(({ name }) => name)).toEqual(names);
  for (const { completionRate, submissionRate, cpuSecondsPer1000, versions, storage } of result.rows) {
    expect(Math.min(completionRate.median, submissionRate.median, cpuSecondsPer1000.median)).toBeGreaterThan(0);
    expect(versions.at(-1)).toMatch(/^(PostgreSQL|Redis) \d+\.\d+/);
    expect(storage).toMatch(/fsync/);
  }
}, 180_000);

test('a peer whose server is missing is skipped loudly: on the terminal, in the table, in the figures', async () => {
  const path = join(output, 'path');
  const tools = await Promise.all(['sh', 'npm'].map((name) => findOnPath(name)));
  mkdirSync(path);
  for (const tool of [process.execPath, ...tools])
    if (tool) symlinkSync(tool, join(path, tool.slice(dirname(tool).length)));
  const { stdout, result } = await bench(['--only', 'bullmq', '--rounds', '1'], { PATH: path });
  expect(result.skipped).toEqual([{ name: 'BullMQ', reason: expect.stringContaining('apt-get install redis-server') }]);
  expect(stdout.match(/SKIPPED: BullMQ: .*apt-get install redis-server/g)).toHaveLength(2);
}, 120_000);
