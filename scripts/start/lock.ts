import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SetupError } from '../setup-error.ts';
import { endProcesses, type RecordedChild } from './end-processes.ts';
import { identify, isAlive } from './process-identity.ts';

const identity = { pid: z.int().positive(), startedAt: z.string() };
const lockSchema = z.object({
  ...identity,
  children: z.array(z.object({ ...identity, name: z.string(), stage: z.int() })),
});

export type LockContent = z.infer<typeof lockSchema>;
type Options = { say: (line: string) => void };

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;

/** What the lock file says; undefined without one. One that a power cut left empty or torn has no living holder. */
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

/** Hands a complete file to `place`, so that nobody ever reads half a lock. */
function withCompleteFile(path: string, content: LockContent, place: (temporary: string) => void) {
  const temporary = `${path}.${randomUUID()}`;
  writeFileSync(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  try {
    place(temporary);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

const replace = (path: string, content: LockContent) =>
  withCompleteFile(path, content, (temporary) => renameSync(temporary, path));

function create(path: string, content: LockContent): boolean {
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

/**
 * Takes the lock at `path` for `me`. A dead holder's lock is replaced only under a second lock of the same make, or
 * two starts could both find it dead and the slower one would replace the quicker one's; a taker that dies at it
 * leaves its own lock to be taken in the same way.
 */
async function take(path: string, me: LockContent, refusal: (holder: LockContent) => string, { say }: Options) {
  for (;;) {
    if (create(path, me)) return;
    const holder = readLock(path);
    if (!holder) continue;
    if (isAlive(holder)) throw new SetupError(refusal(holder));
    const takeover = `${path}.takeover`;
    await take(takeover, me, refusal, { say });
    try {
      const current = readLock(path);
      if (current?.pid !== holder.pid || current.startedAt !== holder.startedAt) continue;
      const orphans = current.children.filter(isAlive);
      for (const { name, pid } of orphans) say(`Ending ${name} (pid ${pid}), left behind by an earlier start`);
      await endProcesses(orphans);
      replace(path, me);
      return;
    } finally {
      unlinkSync(takeover);
    }
  }
}

export type Lock = Awaited<ReturnType<typeof acquireLock>>;

/**
 * Makes this process the only one that runs Holdfast on `dataDir`. Children of a holder that died are ended first.
 * @throws {SetupError} naming the holder while it lives.
 */
export async function acquireLock(dataDir: string, options: Options) {
  const path = join(dataDir, 'lock.json');
  const me = identify(process.pid);
  if (!me) throw new SetupError('Cannot tell when this process started: /proc or ps must be readable.');
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
    /** Written before it returns: a child must never live unrecorded. */
    record: (children: RecordedChild[]) => replace(path, { ...content, children }),
    release: () => unlinkSync(path),
  };
}
