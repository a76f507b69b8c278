import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';

const candidates = ['postgres', 'nobody'];

async function readId(flag: string, name: string): Promise<number | undefined> {
  const { stdout, failed } = await execa('id', [flag, name], { reject: false });
  return failed ? undefined : Number(stdout);
}

/**
 * PostgreSQL refuses to run as root. If this process does, returns the uid and gid of a user for PostgreSQL: `postgres`
 * if it exists, otherwise `nobody`. Returns undefined if this process does not run as root.
 * @throws {SetupError} if this machine has neither user.
 */
export async function findUnprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of candidates) {
    const uid = await readId('-u', name);
    const gid = await readId('-g', name);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new SetupError(`PostgreSQL refuses to run as root, and this machine has no user ${candidates.join(' or ')}.`);
}
