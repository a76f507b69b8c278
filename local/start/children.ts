import { fileURLToPath } from 'node:url';
import { nodeArguments, workerMiB } from '../../cli/node-arguments.ts';
import type { Config } from '../../src/config/config.ts';
import { toBasicEnvironment } from '../processes/child-environment.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';
import type { Lock } from './lock.ts';

type NodeChild = Required<Pick<ChildSpec, 'name' | 'stopWithinMs' | 'env'>> & {
  script: string;
  args?: string[];
  semiSpaceMiB?: number;
};

const toSpec = ({ name, stopWithinMs, script, args = [], env, semiSpaceMiB }: NodeChild): ChildSpec => ({
  name,
  stopWithinMs,
  env,
  command: process.execPath,
  args: [...nodeArguments(fileURLToPath(new URL(`../../${script}`, import.meta.url)), semiSpaceMiB), ...args],
});

/** Makes a shell wait until its stdin closes, and then become the command. A shell needs 1 MiB, Node needs 40. */
const untilWeEnd = ['-c', 'read -r line; exec "$0" "$@"'];

/** Returns how to start the watchdog, which ends the other children if this process is killed with -9. */
export function watchdog({ path, holder }: Lock): ChildSpec {
  const { command, args, ...spec } = toSpec({
    name: 'watchdog',
    stopWithinMs: 2_000,
    script: 'local/start/watchdog.ts',
    env: toBasicEnvironment(process.env),
    args: [path, String(holder.pid), holder.startedAt],
  });
  return { ...spec, foreign: true, command: 'sh', args: [...untilWeEnd, command, ...args] };
}

// Variables that a child does not need. They are empty and not removed, so that the child ignores them in `.env` too.
const withoutApi = { API_KEYS: '', HOST: '' };
const withoutProxies = { HTTP_PROXY: '', HTTPS_PROXY: '', http_proxy: '', https_proxy: '' };
const withoutClient = { HOLDFAST_API_KEY: '' };

/** Returns how to start the local joke API. */
export const jokeApi = ({ jokeApiPort }: Config): ChildSpec =>
  toSpec({
    name: 'joke API',
    stopWithinMs: 3_000,
    script: 'scripts/joke-api.ts',
    env: { ...toBasicEnvironment(process.env), ...withoutApi, JOKE_API_PORT: `${jokeApiPort}` },
  });

/** Returns how to start the workers. A worker needs at most `shutdownGraceMs` plus 2 s to stop. The rest is margin. */
export const workers = ({ workers: count, shutdownGraceMs }: Config, env: NodeJS.ProcessEnv): ChildSpec[] =>
  Array.from({ length: count }, (_, index) =>
    toSpec({
      name: count === 1 ? 'worker' : `worker ${index + 1}`,
      stopWithinMs: shutdownGraceMs + 5_000,
      script: 'src/worker.ts',
      semiSpaceMiB: workerMiB,
      env: { ...env, ...withoutApi, ...withoutClient },
    }),
  );

/** Returns how to start the API. */
export const api = (env: NodeJS.ProcessEnv): ChildSpec =>
  toSpec({
    name: 'API',
    stopWithinMs: 15_000,
    script: 'src/server.ts',
    env: { ...env, ...withoutProxies, ...withoutClient },
  });
