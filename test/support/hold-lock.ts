import { once } from 'node:events';
import { watchdog } from '../../local/start/children.ts';
import { acquireLock } from '../../local/start/lock.ts';
import { createSupervisor } from '../../local/start/supervise.ts';

// Does what `npm start` does around its children, with the children given as JSON: [{ name, args, foreign? }].
// Prints "waiting", tries for the lock when a line comes in, and prints "holding" or why not.
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
