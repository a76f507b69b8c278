/**
 * Calls `stop` once, with the reason, when this process must end: on SIGTERM, on SIGINT, or when its parent is gone. A
 * child of `npm start` has an IPC channel to its parent. This channel closes even when the parent dies from kill -9.
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
