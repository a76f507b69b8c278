import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { ProcessIdentity } from '../processes/process-identity.ts';

const identity = { pid: z.int().positive(), startedAt: z.string() };
const lockSchema = z.object({
  ...identity,
  children: z.array(z.object({ ...identity, name: z.string(), stage: z.int() })),
});

export type LockContent = z.infer<typeof lockSchema>;
export const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/**
 * Returns the content of the lock file; undefined if there is none. A file that a power cut left incomplete has no
 * living holder.
 */
export function readLock(path: string): LockContent | undefined {
  try {
    return lockSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (error instanceof SyntaxError || error instanceof z.ZodError)
      return { pid: 1, startedAt: 'unreadable', children: [] };
    throw error;
  }
}

/** Whether the lock belongs to this process. */
export const isHeldBy = (lock: LockContent | undefined, { pid, startedAt }: ProcessIdentity) =>
  lock?.pid === pid && lock.startedAt === startedAt;

/** Writes a complete temporary file and gives it to `place`, so that no reader sees half a lock. */
function withCompleteFile(path: string, content: LockContent, place: (temporary: string) => void) {
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
    place(temporary);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Replaces the lock file in one step. */
export const replaceLock = (path: string, content: LockContent) =>
  withCompleteFile(path, content, (temporary) => renameSync(temporary, path));

/** Creates the lock file; returns false if there is one already. */
export function createLock(path: string, content: LockContent): boolean {
  try {
    withCompleteFile(path, content, (temporary) => {
      linkSync(temporary, path);
      unlinkSync(temporary);
    });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}
