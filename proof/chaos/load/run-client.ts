import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, ProvingClient, Request } from './client.ts';
import type { ClientPlan } from './client-plans.ts';

/** An accepted task or batch, which is read until it has ended. */
export type Accepted = { id: string; isBatch: boolean };

type Options = {
  client: ProvingClient;
  /** Aborts when clients give up waiting. */
  over: AbortSignal;
  accept: (accepted: Accepted) => void;
};

const firstPauseMs = 100;
const longestPauseMs = 1_000;
const watchIntervalMs = 250;

/**
 * Sends the same request to one API after the other until `isEnough` accepts an answer or `over` aborts. Returns the
 * last answer.
 */
export async function persist(
  { client, over }: Pick<Options, 'client' | 'over'>,
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

/** Returns the request that reads a task or batch, at the API with index `api`. */
export const toRead = ({ id, isBatch }: Accepted, api: number): Request => ({
  action: isBatch ? 'read-batch' : 'read',
  api,
  method: 'GET',
  path: isBatch ? `/batches/${id}?limit=1000` : `/tasks/${id}`,
  id,
});

/** Carries out one client's plan. */
export async function runClient(plan: ClientPlan, { client, over, accept }: Options): Promise<void> {
  const { key, categories, isBatch, api } = plan;
  const options = { client, over };
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
  const { id } = await persist(options, submission, isOk);
  if (id === undefined) return;
  accept({ id, isBatch });
  const read = toRead({ id, isBatch }, api + 1);

  const meanwhile: Promise<unknown>[] = [];
  if (plan.readsOwnWrite) meanwhile.push(persist(options, read, ({ type, status }) => type === 'ok' || status === 404));
  if (plan.repeats) meanwhile.push(persist(options, { ...submission, api: api + 1 }, isOk));
  if (plan.contradicts) {
    const conflict: Request = {
      ...submission,
      action: 'conflict',
      body: toBody([...categories.slice(1), 'prove-other']),
    };
    // The client also stops if the conflict is accepted: that already breaks `one-task-per-key`.
    meanwhile.push(persist(options, conflict, ({ type, status }) => type === 'ok' || status === 422));
  }
  if (plan.cancelsAfterMs !== undefined) meanwhile.push(cancel(id, plan.cancelsAfterMs));
  if (plan.watches || plan.reruns) meanwhile.push(watch());
  await Promise.all(meanwhile);

  async function cancel(id: string, afterMs: number) {
    await sleep(afterMs, undefined, { signal: over }).catch(() => {});
    const action = isBatch ? 'cancel-batch' : 'cancel';
    const path = isBatch ? `/batches/${id}/cancel` : `/tasks/${id}/cancel`;
    const isEnough = ({ type, status }: Answer) => type === 'ok' || status === 409 || status === 404;
    await persist(options, { action, api, method: 'POST', path, id }, isEnough);
  }

  async function watch() {
    for (let turn = 0; !over.aborted; turn += 1) {
      const { seen } = await client({ ...read, api: api + turn });
      if (seen?.finishedAt) break;
      await sleep(watchIntervalMs, undefined, { signal: over }).catch(() => {});
    }
    if (!plan.reruns || over.aborted) return;
    const rerun: Request = { action: 'rerun', api, method: 'POST', path: `/tasks/${id}/rerun`, key: `${key}-again` };
    const again = await persist(options, rerun, isOk);
    if (again.id !== undefined) accept({ id: again.id, isBatch: false });
  }
}
