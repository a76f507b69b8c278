import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../../cli/node-arguments.ts';
import type { Config } from '../../src/config/config.ts';
import type { ChildSpec } from '../processes/spawn-child.ts';
import type { Lock } from './lock.ts';

type NodeChild = Pick<ChildSpec, 'name' | 'stopWithinMs' | 'env'> & { script: string; args?: string[] };

const toSpec = ({ name, stopWithinMs, script, args = [], env = {} }: NodeChild): ChildSpec => ({
  name,
  stopWithinMs,
  env,
  command: process.execPath,
  args: [...nodeArguments(fileURLToPath(new URL(`../../${script}`, import.meta.url))), ...args],
});

/** Returns how to start the watchdog, which ends the other children if this process is killed with -9. */
export const watchdog = ({ path, holder }: Lock): ChildSpec =>
  toSpec({
    name: 'watchdog',
    stopWithinMs: 2_000,
    script: 'local/start/watchdog.ts',
    args: [path, String(holder.pid), holder.startedAt],
  });

/** Returns how to start the local joke API. */
export const jokeApi = (): ChildSpec =>
  toSpec({ name: 'joke API', stopWithinMs: 3_000, script: 'scripts/joke-api.ts' });

/** Returns how to start the workers. A worker ends itself 5 s after `shutdownGraceMs`, so we kill it only 8 s after. */
export const workers = ({ workers: count, shutdownGraceMs }: Config, env: NodeJS.ProcessEnv): ChildSpec[] =>
  Array.from({ length: count }, (_, index) =>
    toSpec({
      name: count === 1 ? 'worker' : `worker ${index + 1}`,
      stopWithinMs: shutdownGraceMs + 8_000,
      script: 'src/worker.ts',
      env,
    }),
  );

/** Returns how to start the API. */
export const api = (env: NodeJS.ProcessEnv): ChildSpec =>
  toSpec({ name: 'API', stopWithinMs: 15_000, script: 'src/server.ts', env });
