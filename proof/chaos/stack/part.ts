import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../../cli/setup-error.ts';
import { type Guarded, startGuarded } from '../../../local/processes/guarded.ts';
import { isListening } from '../../../local/processes/is-listening.ts';
import { readState } from '../../../local/processes/process-identity.ts';
import type { Role } from '../types.ts';

type Options = {
  name: string;
  role: Role | 'upstream';
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Where the log of each of its processes goes: `worker-1.3.log`. */
  logs: string;
  /** The port that it listens on; none for a worker. */
  port?: number;
  /** Whether the process that writes to this log does its work. */
  isReady: (log: string) => Promise<boolean>;
  /** Ends the wait for readiness. */
  signal: AbortSignal;
};

const upWithinMs = 60_000;
/** Its grace is 3 s. */
const deployWithinMs = 20_000;
const endWithinMs = 8_000;

/** One place of the stack, filled by one process after the other. Everything that is done to it is seen to have its effect, or not to count. */
export function createPart({ name, role, command, args, cwd, env, logs, port, isReady, signal }: Options) {
  let current: Guarded | undefined;
  let starts = 0;
  let log = '';
  /** Whether it should live at this moment. */
  let isWanted = false;

  const until = async (holds: () => boolean | Promise<boolean>, withinMs: number) => {
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline) {
      if (await holds()) return true;
      await sleep(20);
    }
    return false;
  };
  const isClosed = async () => port === undefined || !(await isListening(port));

  /** Resolves when the process is ready; a first one that ends at once is started again, for its port may not be free yet. */
  async function start(): Promise<void> {
    const deadline = performance.now() + upWithinMs;
    while (performance.now() < deadline) {
      log = join(logs, `${name}.${++starts}.log`);
      current = await startGuarded({ command, args, cwd, env, logFile: log, endWithinMs });
      const process = current;
      await until(
        async () => signal.aborted || !process.isAlive() || (await isReady(log)),
        deadline - performance.now(),
      );
      if (process.isAlive() || signal.aborted) {
        isWanted = true;
        return;
      }
      await process.stop();
    }
    throw new SetupError(`${name} is not ready after ${upWithinMs / 1_000} s. Its last words:\n${lastWords(log)}`);
  }

  const living = (): Guarded => {
    if (!current) throw new SetupError(`${name} was not started`);
    return current;
  };

  const part = {
    name,
    role,
    port,
    start,
    pid: () => living().pid,
    /** Ended by itself since the last look. It is started again, as `npm start` would. */
    hasDied: () => isWanted && current?.isAlive() === false,

    /** kill -9; what was seen of it. */
    async kill(): Promise<{ verified: boolean; seen: string }> {
      const victim = living();
      isWanted = false;
      if (!victim.isAlive()) {
        await victim.stop();
        return { verified: false, seen: `pid ${victim.pid} had ended before` };
      }
      process.kill(victim.pid, 'SIGKILL');
      const isGone = await until(() => !victim.isAlive(), 2_000);
      const portIsClosed = await until(isClosed, 2_000);
      await victim.stop();
      const where = port === undefined ? '' : `, port ${port} is ${portIsClosed ? 'closed' : 'open'}`;
      return {
        verified: isGone && portIsClosed,
        seen: `pid ${victim.pid} is ${isGone ? 'gone' : 'alive'}${where}`,
      };
    },

    /** SIGSTOP; verified by the state that the kernel gives: T, stopped. */
    async pause(): Promise<{ verified: boolean; seen: string }> {
      const { pid } = living();
      process.kill(pid, 'SIGSTOP');
      const verified = await until(() => readState(pid) === 'T', 1_000);
      return { verified, seen: `pid ${pid} is in state ${readState(pid)}` };
    },
    /** SIGCONT; false if it did not go on. */
    async resume(): Promise<boolean> {
      const { pid } = living();
      process.kill(pid, 'SIGCONT');
      return until(() => !['T', undefined].includes(readState(pid)), 1_000);
    },

    /** SIGTERM; verified if it ended by itself, in the time that an orchestrator gives it. The next process is for `start`. */
    async end(): Promise<{ verified: boolean; seen: string }> {
      const leaving = living();
      isWanted = false;
      const before = performance.now();
      process.kill(leaving.pid, 'SIGTERM');
      const verified = await until(() => !leaving.isAlive(), deployWithinMs);
      await leaving.stop();
      const seconds = ((performance.now() - before) / 1_000).toFixed(1);
      return {
        verified,
        seen: `pid ${leaving.pid} ${verified ? `ended by itself after ${seconds} s` : 'did not end'}`,
      };
    },

    async stop() {
      isWanted = false;
      await current?.stop();
    },
  };
  return part;
}

export type Part = ReturnType<typeof createPart>;

const lastWords = (log: string) => {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  } catch {
    return '(none)';
  }
};
