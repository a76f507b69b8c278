import type { HoldfastClient } from '../../../cli/client/holdfast-client.ts';
import type { JokeApiClient } from '../../../local/joke-api/joke-api-client.ts';
import type { Stack } from '../../../local/stack/start-stack.ts';
import type { Policy } from '../../../src/policy.ts';
import type { Recorder } from '../recorder.ts';

/** The Holdfast under test, and all that the checks need to know of it. */
export type Target = {
  holdfast: HoldfastClient;
  /** The scripted upstream; undefined when it is not known to be the joke API. */
  jokeApi: JokeApiClient | undefined;
  policy: Policy;
  /** Activities that may run at once, over all workers. */
  slots: number;
  temporalPort: number;
  /** The API's process, where it runs on this machine. */
  findApiPid: () => number | undefined;
  /** How many tasks a check of the load submits. */
  tasks: number;
  record: Recorder;
  /** Runs `work` against a stack whose memory can be read: the one under test if it is ours, else one of its own. */
  withProbedStack: <T>(work: (stack: ProbedStack) => Promise<T>) => Promise<T>;
  /** Runs `work` against a fresh stack with these variables. */
  withOwnStack: <T>(environment: Record<string, string>, work: (stack: Stack) => Promise<T>) => Promise<T>;
};

export type ProbedStack = Pick<Stack, 'holdfast'> & {
  /** Memory in use by the process of that name after a full garbage collection, in bytes. */
  readMemory: (name: 'API' | 'worker') => Promise<{ pid: number; rssBytes: number; heapUsedBytes: number }>;
};

/** For `unavailable`: what a check says that needs a scripted upstream and has none. */
export const needsJokeApi = ({ jokeApi }: Target) =>
  jokeApi ? undefined : 'it needs a scripted upstream: name the joke API behind that Holdfast with --joke-api';
