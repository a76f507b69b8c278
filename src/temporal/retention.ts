import type { Client } from '@temporalio/client';
import { withinDeadline } from './calls.ts';

/** It changes by an operator's hand, if ever. */
const rememberedMs = 600_000;

/**
 * How long the namespace keeps a task after its end, in milliseconds; undefined while Temporal does not tell, for a missing
 * header is better than a refused task. Asked once in ten minutes, and once for all who want to know at the same time.
 */
export function createRetention({ workflowService }: Client, namespace: string) {
  let known: { retentionMs: number; until: number } | undefined;
  let asking: Promise<number | undefined> | undefined;
  const ask = async () => {
    const { config } = await workflowService.describeNamespace({ namespace });
    return Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  };
  const askAndRemember = async () => {
    const retentionMs = await withinDeadline(ask).catch(() => undefined);
    if (retentionMs) known = { retentionMs, until: performance.now() + rememberedMs };
    asking = undefined;
    return retentionMs || undefined;
  };
  return async (): Promise<number | undefined> => {
    if (known && known.until > performance.now()) return known.retentionMs;
    asking ??= askAndRemember();
    return await asking;
  };
}
