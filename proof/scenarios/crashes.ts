import { nowMs } from '../../cli/measurement.ts';
import { isListening } from '../../local/processes/ports.ts';
import { isAlive } from '../../local/processes/process-identity.ts';
import type { Stack } from '../../local/stack/start-stack.ts';
import { expectThat, type Tools } from '../checks/check.ts';
import { toSeconds, untilFound } from './until.ts';

/** A moment from which recovery is measured. If the moment has a `limit`, each task must recover within that limit. */
export type Moment = { name: string; atMs: number; limit?: { ms: number; sum: string } };

export type Timing = { heartbeatTimeoutMs: number; waitMs: number };

/** The time that recovery may take in addition to heartbeat timeout and wait. */
const slackMs = 2_000;

/** Kills the worker with SIGKILL and waits until it is gone. `npm start` then starts another worker. */
export async function crashWorker(
  stack: Stack,
  { heartbeatTimeoutMs, waitMs }: Timing,
  { say, signal }: Tools,
): Promise<Moment[]> {
  const worker = stack.children().find(({ name }) => name === 'worker');
  expectThat(worker !== undefined, 'There is no running worker to kill');
  stack.kill('worker');
  const atMs = nowMs();
  await untilFound(
    () => `The killed worker (pid ${worker.pid}) was not gone`,
    async () => (isAlive(worker) ? undefined : 'gone'),
    { signal },
  );
  say(`  the worker (pid ${worker.pid}) is gone`);
  const sum = `heartbeat timeout ${toSeconds(heartbeatTimeoutMs)} + wait ${toSeconds(waitMs)} + 2 s`;
  return [{ name: 'the kill', atMs, limit: { ms: heartbeatTimeoutMs + waitMs + slackMs, sum } }];
}

/** Kills `npm start` and all its processes with SIGKILL, so that none can clean up. Then starts `npm start` again. */
export async function crashEverything(
  stack: Stack,
  { heartbeatTimeoutMs, waitMs }: Timing,
  { say, signal }: Tools,
): Promise<Moment[]> {
  const members = stack.children();
  for (const { name } of members) stack.kill(name);
  const killedAtMs = nowMs();
  await stack.end('SIGKILL');
  const { port, embedded } = stack.config();
  const ports = [port, stack.temporalPort, ...(embedded ? [embedded.uiPort] : [])];
  let left = '';
  // The operating system closes a process's sockets a moment after the process is gone. So this waits for ports too.
  await untilFound(
    () => `After the kill, these were not gone: ${left},`,
    async () => {
      const listening = await Promise.all(ports.map(isListening));
      const open = ports.filter((_, index) => listening[index]).map((each) => `port ${each}`);
      left = [...members.filter(isAlive).map(({ name }) => name), ...open].join(', ');
      return left === '' ? 'gone' : undefined;
    },
    { signal, withinMs: 5_000 },
  );
  say(`  ${members.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')} are gone`);
  say(`  ports ${ports.join(', ')} are closed`);
  await stack.start();
  const readyAtMs = nowMs();
  const leftMs = Math.max(0, heartbeatTimeoutMs - (readyAtMs - killedAtMs));
  say(`  started again, ready ${toSeconds(readyAtMs - killedAtMs)} after the kill`);
  const sum = `rest of the heartbeat timeout ${toSeconds(leftMs)} + wait ${toSeconds(waitMs)} + 2 s`;
  return [
    { name: 'the kill', atMs: killedAtMs },
    { name: 'ready again', atMs: readyAtMs, limit: { ms: leftMs + waitMs + slackMs, sum } },
  ];
}
