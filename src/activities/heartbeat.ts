import { activityInfo, heartbeat } from '@temporalio/activity';

/**
 * Runs `work` while telling the server that this worker lives: a beat each third of the heartbeat timeout.
 * The first comes after one second at most, so that a short attempt costs no beat (each first beat is an RPC and a write).
 * Only a beat brings a cancellation to a running attempt.
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
