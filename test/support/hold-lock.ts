import { once } from 'node:events';
import { watchdog } from '../../local/start/children.ts';
import { acquireLock } from '../../local/start/lock.ts';
import { createSupervisor } from '../../local/start/supervise.ts';

// Takes the lock and starts children as `npm start` does. The children come as JSON: [{ name, args, foreign? }].
// Prints "waiting", tries to take the lock once a line arrives on stdin, then prints "holding" or the error.
const [dataDir = '', children = '[]'] = process.argv.slice(2);

console.log('waiting');
await once(process.stdin, 'data');
try {
  const lock = await acquireLock(dataDir, { say: console.log });
  const supervisor = createSupervisor({ say: console.log, record: lock.record });
  supervisor.start(watchdog(lock));
  for (const child of JSON.parse(children))
    supervisor.start({ command: process.execPath, stopWithinMs: 2_000, ...child });
  console.log('holding');
} catch (error) {
  console.log((error as Error).message);
  process.exit(1);
}
