import { z } from 'zod';
import type { AttemptOptions, TaskInput, TaskOutput } from '../tasks.ts';
import type { Upstream } from './get-json.ts';
import { withHeartbeat } from './heartbeat.ts';
import { logAttempt } from './observe.ts';

const upstreamJoke = z.object({ id: z.string(), value: z.string(), url: z.string() });

/** Creates the `fetch-joke` activity, which calls `GET {upstreamUrl}/jokes/random[?category=]`. */
export const createFetchJoke =
  ({ upstreamUrl, getJson }: Upstream) =>
  async ({ category }: TaskInput<'fetch-joke'>, options: AttemptOptions): Promise<TaskOutput<'fetch-joke'>> => {
    logAttempt('Fetching joke', options);
    const url = new URL(`${upstreamUrl}/jokes/random`);
    if (category !== undefined) url.searchParams.set('category', category);
    const { id, value, url: link } = await withHeartbeat(() => getJson(url, upstreamJoke, options));
    return { id, joke: value, url: link };
  };
