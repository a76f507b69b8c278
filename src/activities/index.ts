import type { TaskActivities } from '../tasks.ts';
import { createFetchJoke } from './fetch-joke.ts';

/** Returns the activity of each task, under the task's name. */
export function createActivities({ upstreamUrl }: { upstreamUrl: string }): TaskActivities {
  return {
    'fetch-joke': createFetchJoke(upstreamUrl),
  };
}
