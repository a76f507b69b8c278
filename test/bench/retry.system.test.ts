import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startBullmq } from '../../bench/bullmq/contender.ts';
import { startDbos } from '../../bench/dbos/contender.ts';
import { startGraphileWorker } from '../../bench/graphile-worker/contender.ts';
import { startOrigin } from '../../bench/origin/contender.ts';
import { startPgBoss } from '../../bench/pg-boss/contender.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import { until } from '../../cli/until.ts';
import { startJokeApi } from '../../local/joke-api/create-joke-api.ts';
import { identify, isAlive } from '../../local/processes/process-identity.ts';

const { path, remove } = createTemporaryDirectory('holdfast-peers-');
afterAll(remove);

/** Enough for each of the ten slots to be filled, however many tasks a slot takes at once. */
const backlog = 500;

/** The first wait, and how much later the call may come: what the system adds at random, its polls, this machine. */
const peers = [
  { name: 'the old stack', start: startOrigin, waitMs: 2_000, laterMs: 7_000 },
  { name: 'pg-boss', start: startPgBoss, waitMs: 2_000, laterMs: 4_500 },
  { name: 'graphile-worker', start: startGraphileWorker, waitMs: Math.E * 1_000, laterMs: 4_500 },
  { name: 'DBOS', start: startDbos, waitMs: 2_000, laterMs: 2_000 },
  { name: 'BullMQ', start: startBullmq, waitMs: 2_000, laterMs: 2_000 },
];

// Seen to fail when BullMQ's queue has no retries, waits 0.1 s or runs twelve at once, or a worker outlives `stop`.
test.for(peers)(
  '$name: ten at once, a failed call is made again after its first wait, and nothing lives on',
  { timeout: 60_000 },
  async ({ name, start, waitMs, laterMs }, { signal }) => {
    const jokes = await startJokeApi();
    const directory = join(path, name.replaceAll(' ', '-'));
    const contender = await start({ upstreamUrl: jokes.url, directory, say: () => {}, signal });
    if (!('submit' in contender)) throw new Error(JSON.stringify(contender));
    const untilCompleted = (count: number) => until(async () => (await contender.completed()) >= count, { signal });
    try {
      jokes.rules.add({ then: [{ status: 503 }] });
      await contender.submit(1, 1);
      await untilCompleted(1);
      const [failed, repeated, ...more] = jokes.ledger();
      const waitedMs = (repeated?.startedAt ?? 0) - (failed?.endedAt ?? 0);
      expect({ first: failed?.status, second: repeated?.status, more }).toEqual({ first: 503, second: 200, more: [] });
      expect(waitedMs).toBeGreaterThan(waitMs - 50);
      expect(waitedMs).toBeLessThan(waitMs + laterMs);

      jokes.rules.clear();
      jokes.rules.add({ then: [{ delayMs: 50 }], repeat: true });
      await contender.pauseWorker();
      expect(await contender.submit(backlog, 10)).toMatchObject({ latenciesMs: { length: backlog } });
      await contender.resumeWorker();
      await untilCompleted(1 + backlog);
      expect(toMostAtOnce(jokes.ledger())).toBe(10);
    } finally {
      const processes = contender.pids().flatMap((pid) => identify(pid) ?? []);
      await contender.stop();
      await jokes.close();
      expect(processes.length).toBeGreaterThanOrEqual(3);
      expect(processes.filter(isAlive)).toEqual([]);
    }
  },
);

/** The most requests that were open at one moment. */
function toMostAtOnce(entries: { startedAt: number; endedAt: number | null }[]): number {
  const open = (at: number) => entries.filter(({ startedAt, endedAt }) => startedAt <= at && (endedAt ?? at) > at);
  return Math.max(...entries.map(({ startedAt }) => open(startedAt).length));
}
