import { mkdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../../cli/setup-error.ts';
import { endProcesses, type RecordedChild } from '../processes/end-processes.ts';
import { identify, isAlive } from '../processes/process-identity.ts';
import { codeOf, createLock, isHeldBy, type LockContent, readLock, replaceLock } from './lock-file.ts';

type Options = { say: (line: string) => void };

/**
 * Takes the lock at `path` for `me`. If the holder is dead, ends the holder's children and then replaces the lock.
 * Replacing a lock needs a second lock, at `path` plus `.takeover`. Otherwise two starts could both find the holder
 * dead, and the slower start would replace the lock of the faster one. If a start dies while it holds the second lock,
 * the next start replaces that lock in the same way.
 * @throws {SetupError} with the text of `refusal` if the holder is alive.
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
      // Read the lock again: between our first read and its death, the holder may have recorded another child.
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
 * Takes the lock of `dataDir`, so that no other process runs Holdfast there. If the last holder died, ends the
 * children that it left behind.
 * @throws {SetupError} if another holder is alive (the message has its pid) or `dataDir` cannot be used.
 */
export async function acquireLock(dataDir: string, options: Options) {
  const path = join(dataDir, 'lock.json');
  const me = identify(process.pid);
  if (!me) throw new SetupError('Cannot read the start time of this process. Make /proc or ps available.');
  const content: LockContent = { ...me, children: [] };
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    await take(
      path,
      content,
      ({ pid }) =>
        `Holdfast already runs on DATA_DIR ${dataDir} (pid ${pid}): stop it first, or set another DATA_DIR and other ports.`,
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
     * Writes the living children to the lock file synchronously, because no foreign child may run unrecorded.
     * @throws {Error} if the lock was removed or belongs to another process.
     */
    record(children: RecordedChild[]) {
      if (!isHeldBy(readLock(path), me))
        throw new Error(`${path} is not ours any more. Stop everything and start again`);
      replaceLock(path, { ...content, children });
    },
    /** Removes the lock file, unless it belongs to another process. */
    release() {
      if (isHeldBy(readLock(path), me)) unlinkSync(path);
    },
  };
}
