import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './api/app.ts';
import { loadConfigOrExit } from './config/config.ts';
import { createReportedFault } from './embedded/faults.ts';
import { toHttpUrl } from './http-url.ts';
import { listen } from './listen.ts';
import { onStop } from './stop.ts';
import { createLog } from './telemetry/log.ts';
import { createApiMetrics } from './telemetry/metrics.ts';
import { createClient } from './temporal/connection.ts';
import { findEngineFault, findFault } from './temporal/fault.ts';

/** When the process stops, unanswered requests have this long to finish. After that, all connections are closed. */
const closeGraceMs = 5_000;

const config = loadConfigOrExit();
const metrics = createApiMetrics();
const log = createLog(config, 'api', () => metrics.droppedLogLines.inc());
for (const warning of config.warnings) log.warn(warning);
const client = createClient(config);
const stopping = new AbortController();
const reported = createReportedFault();
process.on('message', reported.receive);
const app = createApp({ client, config, log, metrics, stopping: stopping.signal, reported });

try {
  const server = await listen(app, config);
  onStop(async (reason) => {
    log.info(`API stops (${reason})`);
    stopping.abort();
    const force = setTimeout(() => server.closeAllConnections(), closeGraceMs);
    server.close();
    // Runs repeatedly: a request that ends during the stop leaves an idle connection, which Node would keep open.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    await once(server, 'close');
    clearTimeout(force);
    clearInterval(sweep);
    await client.connection.close();
    log.info('API stopped');
    log.flush(() => process.exit());
  });
  log.info(`API listens on ${toHttpUrl(config.host, config.port)}`);
  const fault = await findFault(client, config.temporal);
  if (fault && !stopping.signal.aborted) log.warn(fault);
  await requireEngine();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const hint = code === 'EADDRINUSE' ? 'something else listens there; end it or set PORT' : message;
  console.error(`The API cannot listen on HOST ${config.host}, PORT ${config.port}: ${hint}`);
  process.exit(1);
}

/** Ends this process if Temporal's server cannot run the engine of ENGINE. Asks every second until Temporal answers. */
async function requireEngine(): Promise<void> {
  while (!stopping.signal.aborted) {
    try {
      const fault = await findEngineFault(client, config);
      if (!fault) return;
      console.error(fault);
      // EX_CONFIG of sysexits.h, as for a faulty configuration.
      process.exit(78);
    } catch {
      await delay(1_000, undefined, { ref: false });
    }
  }
}
