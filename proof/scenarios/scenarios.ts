import type { Check } from '../checks/check.ts';
import { apiRestored } from './api-restored.ts';
import { backoffPattern } from './backoff-pattern.ts';
import { concurrentLoad } from './concurrent-load.ts';
import { delayCap } from './delay-cap.ts';
import { jobTimeout } from './job-timeout.ts';
import type { Scene } from './scene.ts';
import { stalledJob } from './stalled-job.ts';

/** All scenarios, in the order of their numbers. */
export const scenarios: Check<Scene>[] = [
  backoffPattern,
  apiRestored,
  jobTimeout,
  stalledJob,
  concurrentLoad,
  delayCap,
];
