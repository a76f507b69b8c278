import { once } from 'node:events';
import { createEnding } from '../cli/ending.ts';
import { obtainTemporalCli } from '../local/obtain/temporal-cli.ts';
import { toAddresses, toJokeApiUrl, toProbes, toWantedPorts } from '../local/start/addresses.ts';
import { api, jokeApi, watchdog, workers } from '../local/start/children.ts';
import { refuseDatabaseInUse } from '../local/start/database-users.ts';
import { readFlagsOrExit } from '../local/start/flags.ts';
import { acquireLock, type Lock } from '../local/start/lock.ts';
import { checkPorts } from '../local/start/ports.ts';
import { waitUntilReady } from '../local/start/readiness.ts';
import { createSupervisor, type Supervisor } from '../local/start/supervise.ts';
import { usesJokeApi } from '../local/start/upstream.ts';
import { prepareTemporal, temporalServer, toDatabasePath } from '../local/temporal/embedded-temporal.ts';
import { type Config, loadConfigOrExit } from '../src/config/config.ts';

const say = (line: string) => console.log(line);
const flags = readFlagsOrExit();
const config = loadConfigOrExit();
const ending = createEnding(say);

/** Starts the children, each stage on top of the one before, and returns when all of them are ready. */
async function bringUp(config: Config, lock: Lock, supervisor: Supervisor, signal: AbortSignal) {
  const { embedded, temporal, temporalCliPath: explicitPath, dataDir } = config;
  const withJokeApi = await usesJokeApi(config, { ...flags, say });
  const ports = toWantedPorts({ config, withJokeApi });
  await checkPorts(ports);
  const cliPath = embedded && (await obtainTemporalCli({ explicitPath, say, signal }));
  // Building the CLI takes minutes, and on a port that was lost meanwhile we would talk to a stranger's server.
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

let lock: Lock | undefined;
let supervisor: Supervisor | undefined;
try {
  lock = await acquireLock(config.dataDir, { say });
  supervisor = createSupervisor({
    say,
    record: lock.record,
    onConfigFault: (name) => ending.end(78, `${name} refuses its configuration: stopping.`),
  });
  ending.onForced(supervisor.kill);
  await bringUp(config, lock, supervisor, ending.asked);
  if (!ending.asked.aborted) await once(ending.asked, 'abort');
} catch (error) {
  ending.fail(error);
}
await supervisor?.stop();
lock?.release();
if (supervisor) say('Stopped.');
ending.exit();
