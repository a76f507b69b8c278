import { DefaultLogger, Runtime } from '@temporalio/worker';

/** The runtime is one a process and can be installed once. */
let isQuiet = false;

/** Where failures are provoked by the hundred, the SDK's warnings of them would drown what matters. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    shutdownSignals: [],
  });
}
