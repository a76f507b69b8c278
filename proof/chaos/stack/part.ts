import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStat } from '../../../cli/proc.ts';
import { SetupError } from '../../../cli/setup-error.ts';
import { holdsSoon } from '../../../cli/until.ts';
import { type Guarded, startGuarded } from '../../../local/processes/guarded.ts';
import { isListening } from '../../../local/processes/ports.ts';

type Options = {
  name: string;
  command: string;
  args: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The directory for the logs. Each process of the part writes its own log, such as `worker-1.3.log`. */
  logs: string;
  /** The port that the process listens on. Undefined for a worker. */
  port?: number;
  /** Whether the process that writes to this log is ready. An error also means that the process is not ready. */
  isReady: (log: string) => Promise<boolean>;
  /** Aborts the wait for readiness. */
  signal: AbortSignal;
};

const upWithinMs = 60_000;
/** The time limit for a graceful end: SHUTDOWN_GRACE, which is 3 s, and ample time to spare. */
const deployWithinMs = 20_000;
const endWithinMs = 8_000;

/**
 * Creates a part of the stack. A part has one process at a time. Each method that injects a fault also verifies the
 * fault's effect.
 */
export function createPart({ name, command, args, cwd, env, logs, port, isReady, signal }: Options) {
  let current: Guarded | undefined;
  let starts = 0;
  let log = '';
  /** Whether the process is supposed to run. */
  let isWanted = false;

  const isClosed = async () => port === undefined || !(await isListening(port));

  /**
   * Starts a process and resolves when it is ready. If the process ends before it is ready, starts another one, because
   * the port may not have been free yet.
   * @throws {SetupError} with the end of the log if no process is ready in time.
   */
  async function start(): Promise<void> {
    const deadline = performance.now() + upWithinMs;
    while (performance.now() < deadline) {
      log = join(logs, `${name}.${++starts}.log`);
      current = await startGuarded({ command, args, cwd, env, logFile: log, endWithinMs });
      const process = current;
      const withinMs = deadline - performance.now();
      const isDecided = async () => !process.isAlive() || (await isReady(log).catch(() => false));
      await holdsSoon(isDecided, { withinMs, everyMs: 20, signal });
      if (process.isAlive() || signal.aborted) {
        isWanted = true;
        return;
      }
      await process.stop();
    }
    throw new SetupError(`${name} is not ready after ${upWithinMs / 1_000} s. End of its log:\n${readEnd(log)}`);
  }

  const living = (): Guarded => {
    if (!current) throw new SetupError(`${name} was not started`);
    return current;
  };

  const part = {
    name,
    start,
    pid: () => living().pid,
    /** Returns whether the process ended by itself. */
    hasDied: () => isWanted && current?.isAlive() === false,

    /** Sends SIGKILL. The effect is verified if the process is gone and its port is closed. */
    async kill(): Promise<{ verified: boolean; seen: string }> {
      const victim = living();
      isWanted = false;
      if (!victim.isAlive()) {
        await victim.stop();
        return { verified: false, seen: `pid ${victim.pid} had already ended` };
      }
      process.kill(victim.pid, 'SIGKILL');
      const isGone = await holdsSoon(() => !victim.isAlive(), { withinMs: 2_000, everyMs: 20 });
      const portIsClosed = await holdsSoon(isClosed, { withinMs: 2_000, everyMs: 20 });
      await victim.stop();
      const where = port === undefined ? '' : `, port ${port} is ${portIsClosed ? 'closed' : 'open'}`;
      return { verified: isGone && portIsClosed, seen: `pid ${victim.pid} is ${isGone ? 'gone' : 'alive'}${where}` };
    },

    /** Sends SIGSTOP. The effect is verified if the kernel reports the state T (stopped). */
    async pause(): Promise<{ verified: boolean; seen: string }> {
      const { pid } = living();
      process.kill(pid, 'SIGSTOP');
      const verified = await holdsSoon(() => readStat(pid)?.state === 'T', { withinMs: 1_000, everyMs: 20 });
      return { verified, seen: `pid ${pid} is in state ${readStat(pid)?.state}` };
    },
    /** Sends SIGCONT. Returns whether the process continued. */
    async resume(): Promise<boolean> {
      const { pid } = living();
      process.kill(pid, 'SIGCONT');
      return holdsSoon(() => !['T', undefined].includes(readStat(pid)?.state), { withinMs: 1_000, everyMs: 20 });
    },

    /**
     * Sends SIGTERM. The effect is verified if the process ended within `deployWithinMs`, without a SIGKILL. Call
     * `start` afterwards.
     */
    async end(): Promise<{ verified: boolean; seen: string }> {
      const leaving = living();
      isWanted = false;
      const before = performance.now();
      process.kill(leaving.pid, 'SIGTERM');
      const verified = await holdsSoon(() => !leaving.isAlive(), { withinMs: deployWithinMs, everyMs: 20 });
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

const readEnd = (log: string) => {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
  } catch {
    return '(none)';
  }
};
