import { steps } from '../../local/temporal/first-start.ts';
import { createNewDatabase } from './new-database.ts';

// Runs the first steps of a first start, then kills itself as kill -9 does.
const [root = '', program = '', count] = process.argv.slice(2);
const database = createNewDatabase(root, JSON.parse(program));
for (const step of steps.slice(0, Number(count))) await step(database);
process.kill(process.pid, 'SIGKILL');
