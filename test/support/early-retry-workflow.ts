import { proxyActivities } from '@temporalio/workflow';

// An eager dispatch bypasses the queue, whose progress the server saves at intervals.
const { attempt } = proxyActivities<{ attempt(): Promise<void> }>({
  startToCloseTimeout: '20s',
  retry: { initialInterval: '5s', maximumAttempts: 2 },
  allowEagerDispatch: false,
});

/** Runs an activity that is retried after 5 s. */
export async function retryOnce(): Promise<void> {
  await attempt();
}
