import { Runtime } from '@temporalio/worker';

const install = Runtime.install.bind(Runtime);
let installed: Runtime | undefined;

/** Imported by a file that starts Holdfast more than once: a process has one runtime, and a second install would throw. */
Runtime.install = (options) => {
  installed ??= install(options);
  return installed;
};
