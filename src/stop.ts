/**
 * Calls `stop` once, with the reason, when this process is asked to end: SIGTERM, SIGINT, or its parent is gone
 * (a child of `npm start` holds an IPC channel that breaks even when the parent was killed with -9).
 */
export function onStop(stop: (reason: string) => void): void {
  let stopped = false;
  const once = (reason: string) => {
    if (stopped) return;
    stopped = true;
    stop(reason);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => once(signal));
  if (!process.send) return;
  if (process.connected) process.on('disconnect', () => once('parent is gone'));
  else once('parent is gone');
}
