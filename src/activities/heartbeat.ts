import { activityInfo, heartbeat } from '@temporalio/activity';

/**
 * Runs `work` and sends a heartbeat every third of the heartbeat timeout. Returns what `work` returns.
 *
 * Heartbeats tell the server that this worker is alive, and their answers bring a cancellation to a running attempt.
 * The first is sent after a second, or a third of the timeout if that is less. A short attempt then needs none, which
 * saves an RPC and a write.
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
