import type { Client } from '@temporalio/client';
import { withDeadline } from './deadline.ts';

/** Only an operator changes the retention. */
const cachedMs = 600_000;

/**
 * Reads how long the namespace keeps a task after its end, in milliseconds. It is `undefined` while Temporal does not
 * answer: a missing header is better than a refused task. Asks Temporal once in ten minutes, with one call for all
 * who ask at the same time.
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
