import { createDispatcher, type Proxies } from '../outbound/dispatcher.ts';
import type { TaskActivities } from '../tasks.ts';
import { createFetchJoke } from './fetch-joke.ts';
import { createGetJson } from './get-json.ts';

/** Returns the activity of each task, under the task's name. */
export function createActivities({ upstreamUrl, proxies }: { upstreamUrl: string; proxies?: Proxies }): TaskActivities {
  const upstream = { upstreamUrl, getJson: createGetJson(createDispatcher(proxies)) };
  return {
    'fetch-joke': createFetchJoke(upstream),
  };
}
