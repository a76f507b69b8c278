import { loadConfigOrExit } from '../../src/config/config.ts';
import { createAttempts } from './attempt.ts';

// Runs one attempt with the configuration of this process, as a worker does, and prints its end.
console.log(await createAttempts(loadConfigOrExit())());
process.exit();
