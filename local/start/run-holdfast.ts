import { once } from 'node:events';
import type { Ending } from '../../cli/ending.ts';
import type { Say } from '../../cli/progress.ts';
import type { Config } from '../../src/config/config.ts';
import { obtainTemporalCli } from '../obtain/temporal-cli.ts';
import { prepareTemporal, temporalServer, toDatabasePath } from '../temporal/embedded-temporal.ts';
import { toAddresses, toJokeApiUrl, toProbes, toWantedPorts } from './addresses.ts';
import { api, jokeApi, watchdog, workers } from './children.ts';
import { refuseDatabaseInUse } from './database-users.ts';
import { acquireLock, type Lock } from './lock.ts';
import { checkPorts } from './ports.ts';
import { waitUntilReady } from './readiness.ts';
import { createSupervisor, type Supervisor } from './supervise.ts';
import { usesJokeApi } from './upstream.ts';

type Options = { demo: boolean; say: Say; ending: Ending };

/** Starts the children in stages and returns when all of them are ready. Each stage needs the one before. */
async function startChildren(config: Config, lock: Lock, supervisor: Supervisor, { demo, say, ending }: Options) {
  const { embedded, temporal, temporalCliPath: explicitPath, dataDir } = config;
  const signal = ending.asked;
  const withJokeApi = await usesJokeApi(config, { demo, say });
  const ports = toWantedPorts({ config, withJokeApi });
  await checkPorts(ports);
  const cliPath = embedded && (await obtainTemporalCli({ explicitPath, say, signal }));
  // Building the CLI takes minutes. If another server took a port meanwhile, we would talk to that server.
  await checkPorts(ports);
  signal.throwIfAborted();

  supervisor.start(watchdog(lock));
  if (embedded && cliPath) {
    refuseDatabaseInUse(toDatabasePath(dataDir));
    supervisor.start(temporalServer(cliPath, embedded, config));
    await prepareTemporal(temporal, embedded.retentionDays, signal);
  }
  if (withJokeApi) supervisor.start(jokeApi());
  const env = withJokeApi ? { API_BASE_URL: toJokeApiUrl(config) } : {};
  supervisor.start(...workers(config, env));
  supervisor.start(api(env));
  await waitUntilReady(toProbes({ config, withJokeApi }), { say, signal });
  say(toAddresses({ config, withJokeApi }));
}

/**
 * Runs Holdfast on this machine until it is asked to end: the embedded Temporal server if there is one, the workers
 * and the API. `demo` makes tasks fetch from the local joke API. Leaves no process and no lock behind.
 * @throws {SetupError} saying what keeps it from starting.
 */
export async function runHoldfast(config: Config, options: Options): Promise<void> {
  const { say, ending } = options;
  const lock = await acquireLock(config.dataDir, { say });
  const supervisor = createSupervisor({
    say,
    record: lock.record,
    onConfigFault: (name) => ending.end(78, `${name} rejects its configuration: stopping.`),
  });
  ending.onForced(supervisor.kill);
  try {
    await startChildren(config, lock, supervisor, options);
    if (!ending.asked.aborted) await once(ending.asked, 'abort');
  } catch (error) {
    // Shown before the children stop, which can take long.
    ending.fail(error);
  }
  await supervisor.stop();
  lock.release();
  say('Stopped.');
}
