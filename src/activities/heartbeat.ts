import { activityInfo, heartbeat } from '@temporalio/activity';

/**
 * Runs `work` and sends a heartbeat every third of the heartbeat timeout. Returns what `work` returns.
 *
 * Heartbeats tell the server that this worker is alive. The server's answers tell a running attempt whether its task is
 * cancelled. The first heartbeat is sent after 1 s, or after a third of the heartbeat timeout if that is less. An
 * attempt that ends before its first heartbeat sends none, which saves an RPC and a database write.
 */
export async function withHeartbeat<T>(work: () => Promise<T>): Promise<T> {
  const { heartbeatTimeoutMs } = activityInfo();
  if (!heartbeatTimeoutMs) return work();
  const intervalMs = heartbeatTimeoutMs / 3;
  const beat = () => {
    heartbeat();
    timer = setTimeout(beat, intervalMs);
  };
  let timer = setTimeout(beat, Math.min(1_000, intervalMs));
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
