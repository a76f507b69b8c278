import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Behaviour } from '../../local/joke-api/behaviour.ts';
import type { JokeApi } from '../../local/joke-api/create-joke-api.ts';
import { createActivities } from '../../src/activities/index.ts';
import { limitOutput } from '../../src/activities/interceptors/limit-output.ts';
import { type AttemptRecord, observeAttempts } from '../../src/activities/observe.ts';
import { createPlaces } from '../../src/activities/places.ts';
import { createAttemptItems } from '../../src/activities/slices/attempt-items.ts';
import { createRunItem } from '../../src/activities/slices/run-item.ts';
import { type SliceArguments, type SliceResult, slicedChunkType } from '../../src/contract.ts';
import { policySchema, toActivityOptions } from '../../src/policy.ts';
import type { TaskActivities } from '../../src/tasks.ts';

type Options = {
  /** The number of items. */
  size?: number;
  policy?: Partial<Parameters<typeof policySchema.parse>[0] & object>;
  /** What the upstream answers to all items of the slice. */
  behaviours?: Behaviour[];
  places?: ReturnType<typeof createPlaces>;
  activities?: TaskActivities;
  stopping?: AbortSignal;
  confirm?: (signal: AbortSignal) => Promise<void>;
  client?: Client | undefined;
  batchId?: string;
  runId?: string;
};

/** Starts a slice of fetch-joke against the joke API, with the real activity and real calls. */
export function startSlice(
  api: JokeApi,
  {
    size = 3,
    policy = {},
    behaviours = [],
    places = createPlaces(10),
    activities = createActivities({ upstreamUrl: api.url }),
    stopping = new AbortController().signal,
    confirm = async () => {},
    client,
    runId = 'run',
    batchId = `owner_fetch-joke_batch_${randomUUID()}`,
  }: Options,
) {
  const category = randomUUID();
  api.rules.add({ when: { category }, then: behaviours.length > 0 ? behaviours : [{}], repeat: true });
  const lines: string[] = [];
  const records: AttemptRecord[] = [];
  const environment = new MockActivityEnvironment(
    {
      activityId: 'slice-1',
      activityType: 'attempt-items',
      workflowType: slicedChunkType,
      workflowExecution: { workflowId: `${batchId}~0`, runId },
      heartbeatTimeoutMs: 300,
      startToCloseTimeoutMs: 60_000,
      retryPolicy: { maximumAttempts: 1 },
    },
    {
      logger: new DefaultLogger('INFO', ({ message }) => lines.push(message.replace(batchId, '<batch>'))),
      ...(client && { client }),
    },
  );
  let heartbeats = 0;
  environment.on('heartbeat', () => {
    heartbeats += 1;
  });
  const observe = observeAttempts((record) => records.push(record));
  const runItem = createRunItem(activities, [observe().inbound, limitOutput().inbound]);
  const parsed = policySchema.parse(policy);
  const attemptItems = createAttemptItems({ runItem, places, confirm, stopping });
  const slice: SliceArguments = {
    name: 'fetch-joke',
    options: toActivityOptions(parsed),
    jitter: parsed.jitter,
    indexes: Array.from({ length: size }, (_, n) => 100 + n),
    inputs: { count: size, input: { category } },
  };
  const result: Promise<SliceResult> = environment.run(attemptItems, slice);
  result.catch(() => {});
  return {
    batchId,
    category,
    environment,
    lines,
    records,
    result,
    places,
    requests: () => api.ledger({ category }),
    readHeartbeats: () => heartbeats,
  };
}
