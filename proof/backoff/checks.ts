import type { Check } from '../checks/check.ts';
import { baseDelays } from './base-delays.ts';
import { benchmark } from './benchmark.ts';
import { concurrentRetries } from './concurrent-retries.ts';
import { delayCalculation } from './delay-calculation.ts';
import { delayCap } from './delay-cap.ts';
import { exceptionFiltering } from './exception-filtering.ts';
import { maxAttempts } from './max-attempts.ts';
import type { Context } from './waits.ts';

/** All checks, in the order of their numbers. */
export const checks: Check<Context>[] = [
  delayCalculation,
  delayCap,
  exceptionFiltering,
  maxAttempts,
  concurrentRetries,
  baseDelays,
  benchmark,
];
