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
/** Returns the system's error code, such as `ENOENT`, or undefined if the error has none. */
export const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/**
 * Returns the content of the lock file, or undefined if there is no file. If a power cut left the file incomplete,
 * returns a holder that is not alive.
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

/** Returns whether the process with this pid and start time holds the lock. */
export const isHeldBy = (lock: LockContent | undefined, { pid, startedAt }: ProcessIdentity) =>
  lock?.pid === pid && lock.startedAt === startedAt;

/** Writes the content to a temporary file, which `place` then puts at `path`: no reader sees an incomplete lock. */
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

/** Replaces the lock file atomically. */
export const replaceLock = (path: string, content: LockContent) =>
  withCompleteFile(path, content, (temporary) => renameSync(temporary, path));

/** Creates the lock file. Returns false if the file exists already. */
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
