import type { TimeSkipping } from '../../local/time-skipping/start-time-skipping.ts';

/** What the checks have in common. */
export type Context = {
  /** The time-skipping server; started when the first check asks. */
  timeSkipping(): Promise<TimeSkipping>;
};
