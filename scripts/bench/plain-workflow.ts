import { proxyActivities } from '@temporalio/workflow';

type Activities = { fetchJoke(input: { url: string }): Promise<unknown> };

const { fetchJoke } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' });

/** The plainest workflow with one activity: what Holdfast is measured against. */
export async function plain(input: { url: string }): Promise<unknown> {
  return await fetchJoke(input);
}
