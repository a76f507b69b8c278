import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createHoldfastClient, type HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { nodeArguments } from '../../cli/node-arguments.ts';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import { type Config, type Environment, loadConfig, loadEnvironment } from '../../src/config/config.ts';
import { startJokeApi } from '../joke-api/create-joke-api.ts';
import { createJokeApiClient, type JokeApiClient } from '../joke-api/joke-api-client.ts';
import { obtainTemporalCli } from '../obtain/temporal-cli.ts';
import { killNow } from '../processes/end-processes.ts';
import { findFreePort } from '../processes/free-port.ts';
import { identify, isAlive } from '../processes/process-identity.ts';
import { readLock } from '../start/lock-file.ts';

type Options = {
  say: Say;
  signal: AbortSignal;
  /** Variables on top of Holdfast's defaults; nothing of the caller's own settings reaches a stack. */
  environment?: Environment;
  /** Gets what the stack's processes print, as it comes. */
  listen?: (words: string) => void;
};

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

/** How many lines of a stack's own words a fault repeats. */
const lastWords = 5;

/** All that a stack takes from the caller's environment: not one setting, so that every stack is the same. */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'LANG', 'TZ'];

/**
 * A whole Holdfast of the caller's own: `npm start`'s script as a process on free ports and a fresh DATA_DIR, and the joke
 * API, in this process, as its upstream. `stop` leaves nothing behind; should this process die, the stack ends by itself.
 * @throws {SetupError} with the stack's last words when it does not become ready.
 */
export async function startStack({ say, signal, environment = {}, listen = () => {} }: Options) {
  const explicitPath = loadEnvironment().TEMPORAL_CLI_PATH || undefined;
  const temporalCli = await obtainTemporalCli({ explicitPath, say, signal });
  const { path: directory, remove } = createTemporaryDirectory('holdfast-stack-');
  const jokes = await startJokeApi();
  const base: Environment = {
    ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
    TEMPORAL_CLI_PATH: temporalCli,
    DATA_DIR: join(directory, 'data'),
    PORT: String(await findFreePort()),
    EMBEDDED_TEMPORAL_PORT: String(await findFreePort()),
    EMBEDDED_TEMPORAL_UI_PORT: String(await findFreePort()),
    API_BASE_URL: jokes.url,
    ...environment,
  };
  let recent: string[] = [];
  let current = base;
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const url = `http://127.0.0.1:${base.PORT}`;
  const stack = {
    url,
    holdfast: createHoldfastClient({ url, signal }) as HoldfastClient,
    jokeApi: createJokeApiClient({ url: jokes.url, signal }) as JokeApiClient,
    temporalPort: Number(base.EMBEDDED_TEMPORAL_PORT),
    /** The configuration that the stack's processes read. */
    config: (): Config => loadConfig(current),
    /** Its living processes, as `npm start` records them: `worker` (or `worker 1` …), `API`, `Temporal`, `watchdog`. */
    children: () => (readLock(join(directory, 'data', 'lock.json'))?.children ?? []).filter(isAlive),

    /** Starts it (again), with `changes` to its environment, and resolves when it is ready. */
    async start(changes: Environment = {}) {
      current = { ...current, ...changes };
      const spawned = spawn(process.execPath, nodeArguments(script), {
        cwd: directory,
        env: current as NodeJS.ProcessEnv,
        // A group of its own: Ctrl-C in a terminal reaches only us. The channel tells it of our death.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = spawned;
      ended = once(spawned, 'exit');
      for (const stream of [spawned.stdout, spawned.stderr])
        stream?.setEncoding('utf8').on('data', (words: string) => {
          listen(words);
          recent = [...recent, ...words.split('\n').filter(Boolean)].slice(-lastWords);
        });
      await untilReady(spawned);
    },

    /** Sends a signal to a living child of that name; gives its pid. */
    kill(name: string, how: NodeJS.Signals = 'SIGKILL'): number {
      const found = stack.children().find((one) => one.name === name);
      if (!found) throw new Error(`The stack has no living ${name}`);
      process.kill(found.pid, how);
      return found.pid;
    },

    /** Ends `npm start` itself, SIGTERM in order or SIGKILL at once, and resolves when none of its processes lives. */
    async end(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') {
      const members = stack.children();
      child?.kill(how);
      await ended;
      while (members.some(isAlive)) await sleep(20);
    },

    /** Ends everything and removes its files. */
    async stop() {
      await stack.end();
      await jokes.close();
      process.off('exit', killAll);
      remove();
    },
  };

  /** A second Ctrl-C: whoever still lived would write into a directory that goes. `npm start` first, for it restarts the others. */
  const killAll = () => {
    const starter = identify(child?.pid ?? 0);
    if (starter) killNow([starter]);
    killNow(stack.children());
  };
  process.prependListener('exit', killAll);

  async function untilReady(spawned: ChildProcess) {
    for (;;) {
      signal.throwIfAborted();
      if (spawned.exitCode !== null || spawned.signalCode !== null)
        throw new SetupError(`The stack did not start. Its last words:\n${recent.join('\n')}`);
      const ready = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
      await ready?.body?.cancel();
      if (ready?.status === 200) return;
      await sleep(100, undefined, { signal });
    }
  }

  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

export type Stack = Awaited<ReturnType<typeof startStack>>;
