import { DefaultLogger, Runtime } from '@temporalio/worker';

/** True once the SDK's runtime is installed, because it can be installed only once per process. */
let isQuiet = false;

/** Makes the SDK log only errors. Suites that cause hundreds of failures would otherwise print as many warnings. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    shutdownSignals: [],
  });
}
