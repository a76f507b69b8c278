import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, activityInfo, cancellationSignal, getClient } from '@temporalio/activity';
import { lostType } from '../observe.ts';

/** How often a process reads its clocks. */
const intervalMs = 100;

/** gRPC's NOT_FOUND. The server answers with it if it has given up the attempt. */
const notFound = 5;

/** The waits before the question is asked again, if Temporal does not answer. They double. */
const firstWaitMs = 100;
const maximumWaitMs = 2_000;

/**
 * Watches for suspensions of this process: SIGSTOP, a frozen container, a sleeping machine. Returns a function that
 * says how long the last suspension was, and how long ago it ended. A blocked event loop also counts as a suspension.
 */
export function watchSuspensions() {
  // While a machine sleeps, the monotonic clock of some systems stands still. The wall clock does not.
  const readClocks = () => [performance.now(), Date.now()] as const;
  let seen = readClocks();
  let last = { ms: 0, endedAt: 0 };
  const readLast = () => {
    const now = readClocks();
    const ms = Math.max(now[0] - seen[0], now[1] - seen[1]) - intervalMs;
    seen = now;
    // A shorter delay replaces a suspension only later, because attempts from the suspension may still arrive.
    if (ms >= last.ms || now[0] - last.endedAt > 2 * last.ms) last = { ms, endedAt: now[0] };
    return { ms: last.ms, endedMsAgo: now[0] - last.endedAt };
  };
  setInterval(readLast, intervalMs).unref();
  return readLast;
}

/**
 * Creates a function that asks the server whether the current attempt still counts, and throws if it does not. It asks
 * only after a suspension of over half the attempt's heartbeat timeout, and only until that timeout has passed since
 * the suspension. Such an attempt may have arrived during the suspension, and the server may have given it up. Its call
 * would then reach the upstream beside the calls of later attempts, so the attempt ends without a call.
 *
 * If Temporal is away, it asks again until the heartbeat timeout has passed, because the server then gives up the
 * attempt. It also returns when `signal` is aborted, because a cancelled attempt makes no call.
 */
export const createConfirm =
  (readLastSuspension: ReturnType<typeof watchSuspensions>) =>
  async (signal = cancellationSignal()): Promise<void> => {
    const { heartbeatTimeoutMs = 0 } = activityInfo();
    const { ms, endedMsAgo } = readLastSuspension();
    if (ms <= heartbeatTimeoutMs / 2 || endedMsAgo >= heartbeatTimeoutMs) return;
    const endsAt = performance.now() + heartbeatTimeoutMs;
    for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(2 * waitMs, maximumWaitMs)) {
      try {
        return await confirm();
      } catch (error) {
        if (error instanceof ApplicationFailure || performance.now() + waitMs > endsAt) throw error;
      }
      await delay(waitMs, undefined, { signal }).catch(() => {});
    }
  };

/** Creates a worker interceptor that runs `confirm` before each attempt. */
export const confirmAttempts = (confirm: () => Promise<void>) => () => ({
  inbound: {
    async execute<I, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      await confirm();
      return next(input);
    },
  },
});

/** Sends a heartbeat and waits for the answer. The SDK's `heartbeat()` does not wait. */
async function confirm(): Promise<void> {
  const { taskToken } = activityInfo();
  const { workflowService, options } = getClient();
  const { namespace, identity } = options;
  try {
    await workflowService.recordActivityTaskHeartbeat({ taskToken, namespace, identity });
  } catch (error) {
    if ((error as { code?: unknown }).code !== notFound) throw error;
    throw ApplicationFailure.create({ type: lostType, message: 'The server gave up this attempt before it began' });
  }
}
