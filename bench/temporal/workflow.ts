import { proxyActivities } from '@temporalio/workflow';

type Activities = { fetchJoke(input: { url: string }): Promise<unknown> };

/** The same retry settings as Holdfast's defaults. */
const { fetchJoke } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '5 minutes', maximumAttempts: 5 },
});

/** A minimal workflow with one activity. Holdfast is compared with it. */
export async function plain(input: { url: string }): Promise<unknown> {
  return await fetchJoke(input);
}
