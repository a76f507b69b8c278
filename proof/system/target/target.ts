import type { HoldfastClient } from '../../../cli/client/holdfast-client.ts';
import type { JokeApiClient } from '../../../local/joke-api/joke-api-client.ts';
import type { Stack } from '../../../local/stack/start-stack.ts';
import type { Policy } from '../../../src/policy.ts';
import type { Recorder } from '../recorder.ts';

/** The Holdfast under test, and what the checks need to know about it. */
export type Target = {
  holdfast: HoldfastClient;
  /** The upstream, whose answers can be scripted, or undefined if the upstream is not known to be a joke API. */
  jokeApi: JokeApiClient | undefined;
  policy: Policy;
  /** The number of activities that all workers together can run at once. */
  slots: number;
  temporalPort: number;
  /** Returns the pid of the API, or undefined if no such process is found on this machine. */
  findApiPid: () => number | undefined;
  /** How many tasks a load check submits. */
  tasks: number;
  record: Recorder;
  /** Runs `work` against a stack whose memory can be read: the stack under test if we started it, else a new one. */
  withProbedStack: <T>(work: (stack: ProbedStack) => Promise<T>) => Promise<T>;
  /** Runs `work` against a fresh stack with these variables. */
  withOwnStack: <T>(environment: Record<string, string>, work: (stack: Stack) => Promise<T>) => Promise<T>;
};

export type ProbedStack = Pick<Stack, 'holdfast'> & {
  /** Returns the pid of the process, and its memory in use after a full garbage collection, in bytes. */
  readMemory: (name: 'API' | 'worker') => Promise<{ pid: number; rssBytes: number; heapUsedBytes: number }>;
};

/** Implements `unavailable` for checks that need a scripted upstream. */
export const needsJokeApi = ({ jokeApi }: Target) =>
  jokeApi ? undefined : 'it needs a scripted upstream: name the joke API behind that Holdfast with --joke-api';
