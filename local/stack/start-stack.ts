import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHoldfastClient, type HoldfastClient } from '../../cli/client/holdfast-client.ts';
import { nodeArguments } from '../../cli/node-arguments.ts';
import type { Say } from '../../cli/progress.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import { until } from '../../cli/until.ts';
import { type Config, type Environment, loadConfig, loadEnvironment } from '../../src/config/config.ts';
import { startJokeApi } from '../joke-api/create-joke-api.ts';
import { createJokeApiClient, type JokeApiClient } from '../joke-api/joke-api-client.ts';
import { obtainTemporal } from '../obtain/temporal.ts';
import { killNow } from '../processes/end-processes.ts';
import { findFreePort } from '../processes/ports.ts';
import { identify, isAlive } from '../processes/process-identity.ts';
import { readLock } from '../start/lock-file.ts';

export type StackOptions = {
  say: Say;
  signal: AbortSignal;
  /** Receives what the stack's processes print. */
  listen?: (text: string) => void;
};

/** `environment` has the variables to set. All others but ENGINE have Holdfast's defaults, not the caller's values. */
type Options = StackOptions & { environment?: Environment };

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));

/** The only variables that a stack inherits from the caller. Of these, only ENGINE configures Holdfast. */
const passedOn = ['PATH', 'HOME', 'TMPDIR', 'XDG_CACHE_HOME', 'LANG', 'TZ', 'ENGINE'];

/**
 * Starts a complete Holdfast. `npm start` runs as a child process on free ports with a fresh DATA_DIR. Its upstream is
 * a joke API in this process. `stop` leaves nothing behind. The stack also ends when this process does.
 * @throws {SetupError} with the stack's last lines when it does not become ready.
 */
export async function startStack({ say, signal, environment = {}, listen = () => {} }: Options) {
  const explicitPath = loadEnvironment().TEMPORAL_CLI_PATH || undefined;
  const program = await obtainTemporal({ explicitPath, say, signal });
  const { path: directory, remove } = createTemporaryDirectory('holdfast-stack-');
  const jokes = await startJokeApi();
  let current: Environment = {
    ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
    // As the script `start` in package.json sets it.
    MALLOC_ARENA_MAX: '2',
    TEMPORAL_CLI_PATH: program.path,
    DATA_DIR: join(directory, 'data'),
    PORT: String(await findFreePort()),
    EMBEDDED_TEMPORAL_PORT: String(await findFreePort()),
    EMBEDDED_TEMPORAL_UI_PORT: String(await findFreePort()),
    API_BASE_URL: jokes.url,
    ...environment,
  };
  const url = `http://127.0.0.1:${current.PORT}`;
  /** The last lines that the stack printed, for the message of an error. */
  let lastLines: string[] = [];
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const stack = {
    url,
    holdfast: createHoldfastClient({ url, signal }) as HoldfastClient,
    jokeApi: createJokeApiClient({ url: jokes.url, signal }) as JokeApiClient,
    temporalPort: Number(current.EMBEDDED_TEMPORAL_PORT),
    /** Returns the configuration that the stack's processes read. */
    config: (): Config => loadConfig(current),
    /** Returns the stack's living processes. Names are `worker` (or `worker 1` …), `API`, `Temporal`, `watchdog`. */
    children: () => (readLock(join(directory, 'data', 'lock.json'))?.children ?? []).filter(isAlive),
    /**
     * Starts the stack, or starts it again after `end`. `changes` are added to its environment and stay for later
     * starts. Resolves when the stack is ready.
     */
    async start(changes: Environment = {}) {
      current = { ...current, ...changes };
      const spawned = spawn(process.execPath, nodeArguments(script), {
        cwd: directory,
        env: current as NodeJS.ProcessEnv,
        // `npm start` gets its own process group, so Ctrl-C reaches only us. It ends when its IPC channel closes.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      });
      child = spawned;
      ended = once(spawned, 'exit');
      for (const stream of [spawned.stdout, spawned.stderr])
        stream?.setEncoding('utf8').on('data', (text: string) => {
          listen(text);
          lastLines = [...lastLines, ...text.split('\n').filter(Boolean)].slice(-5);
        });
      const isReady = async () => {
        if (spawned.exitCode !== null || spawned.signalCode !== null)
          throw new SetupError(`The stack did not start. Its last lines:\n${lastLines.join('\n')}`);
        const ready = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
        await ready?.body?.cancel();
        return ready?.status === 200;
      };
      // `until` needs no timeout: `npm start` ends by itself when it is not ready in time, and `isReady` then throws.
      await until(isReady, { everyMs: 100, signal });
    },
    /**
     * Sends a signal to the first living child with that name. Returns its pid.
     * @throws {Error} if there is no such child.
     */
    kill(name: string, how: NodeJS.Signals = 'SIGKILL'): number {
      const found = stack.children().find((one) => one.name === name);
      if (!found) throw new Error(`The stack has no running ${name}`);
      process.kill(found.pid, how);
      return found.pid;
    },
    /** Sends the signal to `npm start`. Resolves when all its processes are gone. */
    async end(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM') {
      const members = stack.children();
      child?.kill(how);
      await ended;
      await until(() => !members.some(isAlive), { everyMs: 20 });
    },
    /** Ends all processes of the stack and its joke API, and removes its files. */
    async stop() {
      await stack.end();
      await jokes.close();
      process.off('exit', killAll);
      remove();
    },
  };

  /**
   * Kills the stack's processes when this process exits, for example on a second Ctrl-C. Otherwise a process could
   * write into the directory during its removal. `npm start` is killed first, because it restarts the others.
   */
  const killAll = () => {
    const starter = identify(child?.pid ?? 0);
    if (starter) killNow([starter]);
    killNow(stack.children());
  };
  process.prependListener('exit', killAll);

  await stack.start().catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  return stack;
}

export type Stack = Awaited<ReturnType<typeof startStack>>;
