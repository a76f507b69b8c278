import { once } from 'node:events';
import type { Ending } from '../../cli/ending.ts';
import type { Say } from '../../cli/progress.ts';
import type { Config } from '../../src/config/config.ts';
import { obtainTemporal } from '../obtain/temporal.ts';
import { toAddresses, toJokeApiUrl, toProbes, toWantedPorts } from './addresses.ts';
import { api, jokeApi, watchdog, workers } from './children.ts';
import { acquireLock, type Lock } from './lock.ts';
import { checkPorts } from './ports.ts';
import { waitUntilReady } from './readiness.ts';
import { startTemporal } from './start-temporal.ts';
import { createSupervisor, type Supervisor } from './supervise.ts';
import { usesJokeApi } from './upstream.ts';

type Options = {
  demo: boolean;
  say: Say;
  ending: Ending;
  /** The variables for the API and the workers. */
  environment: NodeJS.ProcessEnv;
};

/** Starts the children in stages, because each stage needs the earlier ones. Resolves when all children are ready. */
async function startChildren(
  config: Config,
  lock: Lock,
  supervisor: Supervisor,
  { demo, say, ending, environment }: Options,
) {
  const { embedded, temporalCliPath: explicitPath } = config;
  const signal = ending.asked;
  const withJokeApi = await usesJokeApi(config, { demo, say });
  const ports = toWantedPorts({ config, withJokeApi });
  await checkPorts(ports);
  const program = embedded && (await obtainTemporal({ explicitPath, say, signal }));
  // Check again, because building the server can take minutes. We would talk to a server that took a port meanwhile.
  await checkPorts(ports);
  signal.throwIfAborted();

  supervisor.start(watchdog(lock));
  if (embedded && program) await startTemporal(program, config, { embedded, supervisor, say, signal });
  if (withJokeApi) supervisor.start(jokeApi(config));
  const env = { ...environment, ...(withJokeApi && { API_BASE_URL: toJokeApiUrl(config) }) };
  supervisor.start(...workers(config, env));
  supervisor.start(api(env));
  await waitUntilReady(toProbes({ config, withJokeApi }), { say, signal });
  say(toAddresses({ config, withJokeApi }));
}

/**
 * Runs Holdfast on this machine until `ending` asks it to end: the embedded Temporal server (unless another server is
 * configured), the workers and the API. With `demo`, tasks fetch from the local joke API. Errors of the start are
 * passed to `ending`. Leaves no process and no lock behind.
 * @throws {SetupError} if the lock of DATA_DIR cannot be taken.
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
    // Show the error now, because stopping the children can take long.
    ending.fail(error);
  }
  await supervisor.stop();
  lock.release();
  say('Stopped.');
}
