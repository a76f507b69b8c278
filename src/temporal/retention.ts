import type { Client } from '@temporalio/client';
import { withDeadline } from './deadline.ts';

/** Ten minutes, because the retention changes rarely: only an operator changes it. */
const cachedMs = 600_000;

/**
 * Returns a function that reads how long the namespace keeps a finished task, in milliseconds. The function resolves
 * with `undefined` while Temporal does not answer: for the client, an answer without the header `Idempotency-Expires`
 * is better than a refused task. The function caches the retention for ten minutes. Concurrent callers share one RPC.
 */
export function createRetention({ workflowService }: Client, namespace: string) {
  let known: { retentionMs: number; until: number } | undefined;
  let reading: Promise<number | undefined> | undefined;
  const read = async () => {
    const { config } = await workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  };
  const readAndRemember = async () => {
    const retentionMs = await withDeadline(read).catch(() => undefined);
    if (retentionMs) known = { retentionMs, until: performance.now() + cachedMs };
    reading = undefined;
    return retentionMs || undefined;
  };
  return async (): Promise<number | undefined> => {
    if (known && known.until > performance.now()) return known.retentionMs;
    reading ??= readAndRemember();
    return await reading;
  };
}
