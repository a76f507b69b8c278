import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { Pool } from 'undici';
import { loadConfig, loadEnvironment } from '../src/config.ts';
import { findFreePort } from '../src/free-port.ts';
import { toActivityOptions } from '../src/policy.ts';
import { report } from './bench/report.ts';
import { nodeArguments } from './node-arguments.ts';
import { createProgress } from './obtain/progress.ts';
import { api, jokeApi, workers } from './start/children.ts';
import { prepareTemporal, temporalServer } from './start/embedded-temporal.ts';
import { waitUntilReady } from './start/readiness.ts';
import { createSupervisor } from './start/supervise.ts';
import { obtainTemporalCli } from './temporal-cli.ts';

/**
 * `npm run bench:start`: what Holdfast adds to Temporal's own cost, as ratios within this run on one embedded server.
 * Submissions: POST /tasks/fetch-joke against a bare `client.workflow.start` with the same input, no worker on either
 * queue. Completions: our worker against the plainest one, both started alike by a bare client. Rounds alternate.
 */
const rounds = 5;
const tasksARound = 500;
const size = `median of ${rounds} rounds of ${tasksARound} (min–max)`;
const concurrency = 100;

const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
const environment = {
  EMBEDDED_TEMPORAL_PORT: String(await findFreePort()),
  EMBEDDED_TEMPORAL_UI_PORT: String(await findFreePort()),
  PORT: String(await findFreePort()),
  JOKE_API_PORT: String(await findFreePort()),
  DATA_DIR: directory,
  LOG_LEVEL: 'error',
  WORKERS: '1',
};
const upstream = `http://127.0.0.1:${environment.JOKE_API_PORT}`;
const config = loadConfig({
  ...loadEnvironment(),
  ...environment,
  API_BASE_URL: upstream,
  TEMPORAL_ADDRESS: '',
  API_KEYS: '',
});
Object.assign(process.env, environment, { TEMPORAL_ADDRESS: '', API_KEYS: '', API_BASE_URL: upstream });
if (!config.embedded)
  throw new Error('A Temporal profile names a server: unset TEMPORAL_PROFILE to measure the embedded one.');

const say = (line: string) => console.log(line);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const supervisor = createSupervisor({ say });
const progress = createProgress(say, { plainEveryMs: 2_000 });

/** Runs `work` for each of `count` numbers, `concurrency` at once; resolves with the seconds it took. */
async function measure(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) {
      stop.signal.throwIfAborted();
      await work(next++);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (performance.now() - started) / 1_000;
}

const options = toActivityOptions(config.policy);
const startBare = (client: Client, type: string, taskQueue: string, argument: unknown) =>
  client.workflow.start(type, { workflowId: `bench_${type}_${randomUUID()}`, taskQueue, args: [argument] });

/** Completions a second from the first start until the last of the round's executions has ended. */
async function measureCompletions(client: Client, type: string, taskQueue: string, argument: unknown): Promise<number> {
  const query = `TaskQueue = '${taskQueue}' AND ExecutionStatus = 'Completed'`;
  const before = (await client.workflow.count(query)).count;
  const started = performance.now();
  await measure(tasksARound, () => startBare(client, type, taskQueue, argument));
  while ((await client.workflow.count(query)).count < before + tasksARound) {
    stop.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return tasksARound / ((performance.now() - started) / 1_000);
}

try {
  const cliPath = await obtainTemporalCli({ explicitPath: config.temporalCliPath, say, signal: stop.signal });
  supervisor.start(temporalServer(cliPath, config.embedded, config));
  await prepareTemporal(config.temporal, config.embedded.retentionDays, stop.signal);
  supervisor.start(jokeApi());
  supervisor.start(api({ TASK_QUEUE: 'bench-idle' }));
  const { namespace, address } = config.temporal;
  const client = new Client({ namespace, connection: Connection.lazy({ address }) });
  const pool = new Pool(`http://127.0.0.1:${config.port}`, { connections: concurrency });

  const probes = [
    { name: 'API', url: `http://127.0.0.1:${config.port}/health` },
    { name: 'joke API', url: `${upstream}/admin/health` },
  ];
  await waitUntilReady(probes, { say, signal: stop.signal });
  const post = async () => {
    const { statusCode, body } = await pool.request({ method: 'POST', path: '/tasks/fetch-joke' });
    await body.dump();
    if (statusCode !== 202) throw new Error(`POST /tasks/fetch-joke answered ${statusCode}`);
  };
  const bare = () => startBare(client, 'fetch-joke', 'bench-idle', { input: {}, options, jitter: 0 });

  const submissions: { ours: number[]; bare: number[] } = { ours: [], bare: [] };
  await measure(200, post);
  await measure(200, bare);
  for (let round = 1; round <= rounds; round += 1) {
    progress.update(`Submissions, round ${round} of ${rounds}`);
    submissions.ours.push(tasksARound / (await measure(tasksARound, post)));
    submissions.bare.push(tasksARound / (await measure(tasksARound, bare)));
  }

  const completions: { ours: number[]; plain: number[] } = { ours: [], plain: [] };
  const plainWorker = fileURLToPath(new URL('./bench/plain-worker.ts', import.meta.url));
  supervisor.start(...workers(config, { TASK_QUEUE: 'bench-holdfast' }), {
    name: 'plain worker',
    command: process.execPath,
    args: nodeArguments(plainWorker),
    stopWithinMs: 10_000,
  });
  const ours = () => measureCompletions(client, 'fetch-joke', 'bench-holdfast', { input: {}, options, jitter: 0 });
  const plain = () => measureCompletions(client, 'plain', 'bench-plain', { url: `${upstream}/jokes/random` });
  await Promise.all([ours(), plain()]);
  for (let round = 1; round <= rounds; round += 1) {
    progress.update(`Completions, round ${round} of ${rounds}`);
    completions.ours.push(await ours());
    completions.plain.push(await plain());
  }
  progress.end();
  report(`Submissions, ${size}`, submissions.ours, submissions.bare, [
    'POST /tasks/fetch-joke',
    'client.workflow.start',
  ]);
  report(`Completions, ${size}`, completions.ours, completions.plain, [
    'Holdfast worker',
    'plainest one-activity worker',
  ]);
  await client.connection.close();
  await pool.close();
} catch (error) {
  progress.end();
  console.error(stop.signal.aborted ? 'Interrupted.' : `The benchmark failed: ${(error as Error).message}`);
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
await supervisor.stop();
rmSync(directory, { recursive: true, force: true });
// Open connections would hold a failed or interrupted run.
process.exit();
