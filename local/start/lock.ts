import { mkdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../cli/setup-error.ts';
import { endProcesses, type RecordedChild } from '../processes/end-processes.ts';
import { identify, isAlive } from '../processes/process-identity.ts';
import { codeOf, createLock, isHeldBy, type LockContent, readLock, replaceLock } from './lock-file.ts';

type Options = { say: (line: string) => void };

/**
 * Takes the lock at `path` for `me`. To replace a dead holder's lock it first takes a second lock: otherwise two
 * starts could both find the holder dead, and the slower one would replace the lock of the faster one. If a start
 * dies while it holds the second lock, the next one takes that in the same way.
 */
async function take(path: string, me: LockContent, refusal: (holder: LockContent) => string, { say }: Options) {
  for (;;) {
    if (createLock(path, me)) return;
    const holder = readLock(path);
    if (!holder) continue;
    if (isAlive(holder)) throw new SetupError(refusal(holder));
    const takeover = `${path}.takeover`;
    await take(takeover, me, refusal, { say });
    try {
      // Read again: the holder may have recorded a child between our first read and its death.
      const current = readLock(path);
      if (!current || !isHeldBy(current, holder)) continue;
      const orphans = current.children.filter(isAlive);
      for (const { name, pid } of orphans) say(`Ending ${name} (pid ${pid}), left behind by an earlier start`);
      await endProcesses(orphans);
      replaceLock(path, me);
      return;
    } finally {
      unlinkSync(takeover);
    }
  }
}

export type Lock = Awaited<ReturnType<typeof acquireLock>>;

/**
 * Makes this process the only one that runs Holdfast on `dataDir`. Ends the children of a dead holder first.
 * @throws {SetupError} naming the holder while it is alive.
 */
export async function acquireLock(dataDir: string, options: Options) {
  const path = join(dataDir, 'lock.json');
  const me = identify(process.pid);
  if (!me) throw new SetupError('Cannot read when this process started: /proc or ps must be usable.');
  const content: LockContent = { ...me, children: [] };
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    await take(
      path,
      content,
      ({ pid }) =>
        `Holdfast already runs on DATA_DIR ${dataDir} (pid ${pid}): stop it first, or set DATA_DIR and the ports to others.`,
      options,
    );
  } catch (error) {
    if (error instanceof SetupError || !codeOf(error)) throw error;
    throw new SetupError(
      `DATA_DIR ${dataDir} cannot be used (${codeOf(error)}): make it a directory you may write to.`,
    );
  }
  return {
    path,
    holder: me,
    /**
     * Records the living children. The file is written when this returns: no child may run unrecorded.
     * @throws {Error} when the lock was removed or belongs to another process.
     */
    record(children: RecordedChild[]) {
      if (!isHeldBy(readLock(path), me))
        throw new Error(`${path} is not ours any more. Stop everything and start again`);
      replaceLock(path, { ...content, children });
    },
    release() {
      if (isHeldBy(readLock(path), me)) unlinkSync(path);
    },
  };
}
