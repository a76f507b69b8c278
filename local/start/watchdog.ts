import { endProcesses } from '../processes/end-processes.ts';
import { readLock } from './lock-file.ts';

const [path = '', pid, startedAt] = process.argv.slice(2);

// Runs after the supervising process has ended. A busy Node child may notice late that its IPC channel closed, and the
// Temporal binary has no IPC channel. So end all children here. Accepted tasks are in the database, so the short time
// limits of `endProcesses` do no harm.
const lock = readLock(path);
if (lock && lock.pid === Number(pid) && lock.startedAt === startedAt)
  await endProcesses(lock.children.filter((child) => child.pid !== process.pid));
