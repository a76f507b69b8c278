import type { ChildProcess } from 'node:child_process';
import type { RecordedChild } from '../processes/end-processes.ts';
import { identify } from '../processes/process-identity.ts';
import { type ChildSpec, letGo, spawnChild } from '../processes/spawn-child.ts';

type Options = {
  say: (line: string) => void;
  /** Called with all living children, in the same tick as every spawn and exit. */
  record?: (children: RecordedChild[]) => void;
  /** Called when a child's first run ends with exit code 78 (bad configuration). A restart would not help. */
  onConfigFault?: (name: string) => void;
  backoff?: { firstMs: number; maximumMs: number; resetAfterMs: number };
};

type Child = {
  spec: ChildSpec;
  stage: number;
  restarts: number;
  failuresInARow: number;
  process?: ChildProcess | undefined;
  identity?: RecordedChild | undefined;
  ended: Promise<void>;
  restart?: NodeJS.Timeout;
};

const configFault = 78;

/**
 * Creates a supervisor, which runs children in stages. If a child ends by itself, it is started again after a delay,
 * which doubles with each failure in a row. `stop` ends the latest stage first.
 */
export function createSupervisor({
  say,
  record = () => {},
  onConfigFault = () => {},
  backoff = { firstMs: 250, maximumMs: 10_000, resetAfterMs: 30_000 },
}: Options) {
  const stages: Child[][] = [];
  let stopping = false;

  /** Records all living children. Returns false if recording fails. The caller must then not let a new child run. */
  function recordAll(): boolean {
    try {
      record(stages.flat().flatMap(({ identity }) => identity ?? []));
      return true;
    } catch (error) {
      const fault = error instanceof Error ? error.message : error;
      say(`Cannot write the lock file in DATA_DIR (${fault}): make room there, or let this user write to it.`);
      return false;
    }
  }

  function run(child: Child) {
    const { spec, stage } = child;
    const startedAt = performance.now();
    spec.beforeRun?.();
    const spawned = spawnChild(spec);
    const identity = spawned.pid === undefined ? undefined : identify(spawned.pid);
    child.process = spawned;
    child.identity = identity && { ...identity, name: spec.name, stage };
    child.ended = new Promise((settle) => {
      const end = (how: string, code: number | null) => {
        child.process = child.identity = undefined;
        recordAll();
        settle();
        if (!stopping) endedByItself(child, how, code, performance.now() - startedAt);
      };
      spawned.on('error', (error) => spawned.pid === undefined && end(`could not be started: ${error.message}`, null));
      spawned.once('exit', (code, signal) =>
        end(`(pid ${spawned.pid}) ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`, code),
      );
    });
    if (recordAll()) letGo(spawned);
    else spawned.kill('SIGKILL');
  }

  function endedByItself(child: Child, how: string, code: number | null, livedMs: number) {
    if (code === configFault && child.restarts === 0) {
      onConfigFault(child.spec.name);
      return;
    }
    if (livedMs >= backoff.resetAfterMs) child.failuresInARow = 0;
    const delayMs = Math.min(backoff.maximumMs, backoff.firstMs * 2 ** child.failuresInARow);
    child.failuresInARow += 1;
    child.restarts += 1;
    say(`${child.spec.name} ${how}; starting it again in ${delayMs / 1_000} s`);
    child.restart = setTimeout(() => run(child), delayMs);
  }

  async function stopChild(child: Child) {
    const { process: running, spec } = child;
    clearTimeout(child.restart);
    if (!running) return;
    running.kill('SIGTERM');
    const force = setTimeout(() => {
      say(`${spec.name} (pid ${running.pid}) did not end within ${spec.stopWithinMs / 1_000} s; killing it`);
      running.kill('SIGKILL');
    }, spec.stopWithinMs);
    await child.ended;
    clearTimeout(force);
  }

  return {
    /** Starts children as the next stage, which may need all earlier stages. */
    start(...specs: ChildSpec[]) {
      const stage = stages.length;
      const children = specs.map((spec) => ({ spec, stage, restarts: 0, failuresInARow: 0, ended: Promise.resolve() }));
      stages.push(children);
      for (const child of children) run(child);
    },
    /** Sends a message to every Node child. */
    send(message: object) {
      for (const { process: child } of stages.flat()) if (child?.connected) child.send(message, () => {});
    },
    /** Stops one stage after the other, the latest first. Resolves when no child is alive. */
    async stop() {
      stopping = true;
      for (const stage of stages.toReversed()) await Promise.all(stage.map(stopChild));
    },
    /** Kills all children at once. Used for a second Ctrl-C. */
    kill() {
      stopping = true;
      for (const child of stages.flat()) {
        clearTimeout(child.restart);
        child.process?.kill('SIGKILL');
      }
    },
  };
}

export type Supervisor = ReturnType<typeof createSupervisor>;
