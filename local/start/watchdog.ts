import { endProcesses } from '../processes/end-processes.ts';
import { readLock } from './lock-file.ts';

const [path = '', pid, startedAt] = process.argv.slice(2);

// If our parent died before this line, the channel is gone already and no event comes.
const parentIsGone = new Promise<void>((settle) => {
  if (!process.connected) settle();
  process.once('disconnect', () => settle());
});

// Children that are Node processes end by themselves when their channel breaks. The Temporal binary has no channel,
// and a busy child may be late. The database holds everything durable by then, so the grace is short.
await parentIsGone;
const lock = readLock(path);
if (lock && lock.pid === Number(pid) && lock.startedAt === startedAt)
  await endProcesses(lock.children.filter((child) => child.pid !== process.pid));
process.exit();
