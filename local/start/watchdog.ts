import { endProcesses } from '../processes/end-processes.ts';
import { readLock } from './lock-file.ts';

const [path = '', pid, startedAt] = process.argv.slice(2);

/** Also true when our parent died before this line: the channel is then gone already and no event comes. */
const parentIsGone = new Promise<void>((settle) => {
  if (!process.connected) settle();
  process.once('disconnect', () => settle());
});

// The children that are Node processes end by themselves when their channel breaks; the Temporal binary cannot see it,
// and a busy child may be late. Everything durable is in the database by then, so nobody is waited for long.
await parentIsGone;
const lock = readLock(path);
if (lock && lock.pid === Number(pid) && lock.startedAt === startedAt)
  await endProcesses(lock.children.filter((child) => child.pid !== process.pid));
process.exit();
