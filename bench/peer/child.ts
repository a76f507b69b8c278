import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { SetupError } from '../../cli/setup-error.ts';

type Options = { script: string; args?: string[]; env: NodeJS.ProcessEnv; logFile: string };
type Reply = { ready?: true; id?: number; result?: unknown; error?: string };

/** The environment variables that a peer inherits. Variables that configure database drivers are left out. */
const passedOn = ['BATCH', 'PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ'];
export const baseEnvironment = () => Object.fromEntries(passedOn.map((name) => [name, process.env[name]]));

/**
 * Starts a Node process of a peer. The script answers requests through `serve.mjs`. The child ends when we end.
 * @throws {SetupError} if the child does not become ready.
 */
export async function startChild({ script, args = [], env, logFile }: Options) {
  const log = openSync(logFile, 'a');
  const child = fork(script, args, {
    env: { ...baseEnvironment(), ...env },
    execArgv: [],
    // Gives the child its own process group, so that Ctrl-C in a terminal reaches only this process.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const waiting = new Map<number, (reply: Reply) => void>();
  let asked = 0;
  const ended = once(child, 'exit').then(() => {
    for (const settle of waiting.values()) settle({ error: `${script} ended: see ${logFile}` });
  });
  const ready = new Promise<void>((settle) => {
    child.on('message', (reply: Reply) => {
      if (reply.ready) settle();
      waiting.get(reply.id ?? 0)?.(reply);
    });
  });
  const isReady = await Promise.race([ready.then(() => true), ended.then(() => false)]);
  if (!isReady) throw new SetupError(`${script} did not start: see ${logFile}`);

  return {
    pid: child.pid ?? 0,
    /**
     * Sends a request by name and resolves with its result.
     * @throws {Error} if the request fails or the child has ended.
     */
    async request<T>(name: string, ...values: unknown[]): Promise<T> {
      const id = ++asked;
      const reply = await new Promise<Reply>((settle) => {
        waiting.set(id, settle);
        if (child.connected) child.send({ id, name, args: values });
        else settle({ error: `${script} has ended: see ${logFile}` });
      });
      waiting.delete(id);
      if (reply.error) throw new Error(reply.error);
      return reply.result as T;
    },
    /** Asks the child to end, and kills it if it is still alive after 10 s. Resolves when it has ended. */
    async stop() {
      const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
      if (child.connected) child.disconnect();
      await ended;
      clearTimeout(force);
    },
  };
}

export type Child = Awaited<ReturnType<typeof startChild>>;
