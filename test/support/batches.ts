import type { Batch, BatchItem } from '../../src/api/batches/batch-schemas.ts';
import { eventually, type Holdfast } from './holdfast.ts';

/** Adds calls for batches to a Holdfast. */
export const withBatches = (holdfast: Pick<Holdfast, 'call'>) => {
  const batches = {
    post: (body: unknown, headers: Record<string, string> = {}) =>
      holdfast.call('POST', '/batches/fetch-joke', {
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    /** Returns the accepted batch. Throws for any other answer. */
    async submit(body: unknown): Promise<Batch> {
      const answer = await batches.post(body);
      if (answer.status !== 202) throw new Error(`POST /batches/fetch-joke answered ${answer.status}: ${answer.text}`);
      return answer.body;
    },
    async read(id: string, query = ''): Promise<Batch> {
      const { status, body, text } = await holdfast.call('GET', `/batches/${id}${query}`);
      if (status !== 200) throw new Error(`GET /batches/${id}${query} answered ${status}: ${text}`);
      return body;
    },
    cancel: (id: string) => holdfast.call('POST', `/batches/${id}/cancel`),
    /** Returns the batch with its items as soon as `holds` is true for it. */
    until: (id: string, holds: (batch: Batch) => boolean, timeoutMs = 60_000) =>
      eventually(() => batches.read(id, '?limit=1000'), holds, timeoutMs),
    /**
     * Like `until`, for a fact about the counts. It polls without the items, because with them each poll costs Temporal
     * one call for each chunk and slows the batch down.
     */
    async untilCounts(id: string, holds: (batch: Batch) => boolean, timeoutMs = 60_000): Promise<Batch> {
      await eventually(() => batches.read(id, '?limit=1'), holds, timeoutMs);
      return await batches.read(id, '?limit=1000');
    },
    untilEnded: (id: string, timeoutMs?: number) =>
      batches.untilCounts(id, ({ finishedAt }) => finishedAt !== undefined, timeoutMs),
    /** Returns all items. Reads them page by page. */
    async readAll(id: string, query = 'limit=1000'): Promise<BatchItem[]> {
      const items: BatchItem[] = [];
      let cursor = '';
      do {
        const page = await batches.read(id, `?${query}${cursor && `&cursor=${cursor}`}`);
        items.push(...(page.items ?? []));
        cursor = page.nextCursor ?? '';
      } while (cursor);
      return items;
    },
  };
  return batches;
};

/** Counts the items by final status, as the batch itself does. */
export const toCounts = (items: BatchItem[]) => {
  const count = (status: BatchItem['status']) => items.filter((item) => item.status === status).length;
  return { completed: count('completed'), failed: count('failed'), cancelled: count('cancelled') };
};
