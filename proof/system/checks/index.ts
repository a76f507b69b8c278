import type { Check } from '../../checks/check.ts';
import type { Target } from '../target/target.ts';
import { burstLoad } from './bursts.ts';
import { capacity } from './capacity.ts';
import { connections } from './connections.ts';
import { errorHandling } from './errors.ts';
import { memory } from './memory.ts';
import { retries } from './retries.ts';
import { submissions } from './submissions.ts';
import { jobTimeout } from './timeout.ts';

/** All checks, in the order of their numbers. */
export const checks: Check<Target>[] = [
  submissions,
  retries,
  capacity,
  burstLoad,
  jobTimeout,
  connections,
  memory,
  errorHandling,
];
