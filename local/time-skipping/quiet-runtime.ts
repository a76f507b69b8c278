import { DefaultLogger, Runtime } from '@temporalio/worker';

/** A process has one runtime, which can be installed once. */
let isQuiet = false;

/** Silences the SDK's warnings. Suites that provoke failures by the hundred would drown in them. */
export function quietRuntime(): void {
  if (isQuiet) return;
  isQuiet = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    shutdownSignals: [],
  });
}
