import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, ProvingClient, Request } from './client.ts';
import type { Story } from './client-plans.ts';

/** What was accepted, to be read to its end. */
export type Accepted = { id: string; isBatch: boolean };

type Teller = {
  client: ProvingClient;
  /** Aborted when waiting has no more sense. */
  over: AbortSignal;
  accept: (accepted: Accepted) => void;
};

const firstPauseMs = 100;
const longestPauseMs = 1_000;
const lookMs = 250;

/** The same request at one API after the other until `isEnough`; the last answer, also when it is over. */
export async function persist(
  { client, over }: Pick<Teller, 'client' | 'over'>,
  request: Request,
  isEnough: (answer: Answer) => boolean,
  pauseMs = firstPauseMs,
): Promise<Answer> {
  for (let turn = 0, waitMs = pauseMs; ; turn += 1, waitMs = Math.min(longestPauseMs, 2 * waitMs)) {
    const answer = await client({ ...request, api: request.api + turn });
    if (isEnough(answer) || over.aborted) return answer;
    await sleep(waitMs, undefined, { signal: over }).catch(() => {});
  }
}

const isOk = ({ type }: Answer) => type === 'ok';

export const toReadPath = ({ id, isBatch }: Accepted) => (isBatch ? `/batches/${id}?limit=1000` : `/tasks/${id}`);

/** Plays one story to its last word. */
export async function tell(story: Story, { client, over, accept }: Teller): Promise<void> {
  const { key, categories, isBatch, api } = story;
  const teller = { client, over };
  const toBody = (names: string[]) =>
    isBatch ? { items: names.map((category) => ({ category })) } : { category: names[0] };
  const submission: Request = {
    action: isBatch ? 'submit-batch' : 'submit',
    api,
    method: 'POST',
    path: isBatch ? '/batches/fetch-joke' : '/tasks/fetch-joke',
    body: toBody(categories),
    key,
  };
  const { id } = await persist(teller, submission, isOk);
  if (id === undefined) return;
  const accepted = { id, isBatch };
  accept(accepted);
  const read: Request = {
    action: isBatch ? 'read-batch' : 'read',
    api: api + 1,
    method: 'GET',
    path: toReadPath(accepted),
    id,
  };

  const sideways: Promise<unknown>[] = [];
  if (story.readsOwnWrite) sideways.push(persist(teller, read, ({ type, status }) => type === 'ok' || status === 404));
  if (story.repeats) sideways.push(persist(teller, { ...submission, api: api + 1 }, isOk));
  if (story.contradicts) {
    const body = toBody([...categories.slice(1), 'prove-other']);
    // Accepted would be enough, too: for a violation.
    sideways.push(
      persist(
        teller,
        { ...submission, action: 'conflict', body },
        ({ type, status }) => type === 'ok' || status === 422,
      ),
    );
  }
  if (story.cancelsAfterMs !== undefined) sideways.push(cancel(story.cancelsAfterMs));
  if (story.watches || story.reruns) sideways.push(watch());
  await Promise.all(sideways);

  async function cancel(afterMs: number) {
    await sleep(afterMs, undefined, { signal: over }).catch(() => {});
    const action = isBatch ? 'cancel-batch' : 'cancel';
    const path = isBatch ? `/batches/${id}/cancel` : `/tasks/${id}/cancel`;
    const request: Request = { action, api, method: 'POST', path, id: accepted.id };
    await persist(teller, request, ({ type, status }) => type === 'ok' || status === 409 || status === 404);
  }

  async function watch() {
    for (let turn = 0; !over.aborted; turn += 1) {
      const { seen } = await client({ ...read, api: api + turn });
      if (seen?.finishedAt) break;
      await sleep(lookMs, undefined, { signal: over }).catch(() => {});
    }
    if (!story.reruns || over.aborted) return;
    const rerun: Request = { action: 'rerun', api, method: 'POST', path: `/tasks/${id}/rerun`, key: `${key}-again` };
    const again = await persist(teller, rerun, isOk);
    if (again.id !== undefined) accept({ id: again.id, isBatch: false });
  }
}
