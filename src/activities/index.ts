import type { Config } from '../config/config.ts';
import type { TaskActivities } from '../tasks.ts';
import { createFetchJoke } from './fetch-joke.ts';

/** The register: one activity per task, under the task's name. */
export function createActivities({ upstreamUrl }: Pick<Config, 'upstreamUrl'>): TaskActivities {
  return {
    'fetch-joke': createFetchJoke(upstreamUrl),
  };
}
