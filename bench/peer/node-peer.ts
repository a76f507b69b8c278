import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../cli/setup-error.ts';
import type { Contender, Scene, Submissions } from '../contender.ts';
import { toChildPids } from '../resources.ts';
import { type Child, startChild } from './child.ts';
import { obtainPackages, readVersion } from './packages.ts';

/** The database of a peer. */
export type Store = { url: string; pid: number; version: string; storage: string; stop(): Promise<void> };

type NodePeer = {
  name: string;
  /** The URL of a module in the peer's folder, which also has `worker.mjs` and `client.mjs`. */
  home: string;
  packages: string[];
  startStore(options: Pick<Scene, 'directory' | 'say' | 'signal'>): Promise<Store>;
};

/** Turns a `SetupError` into the reason why a contender is skipped. The run continues without that contender. */
export const orSkipped = (starting: Promise<Contender>) =>
  starting.catch((error: unknown) => {
    if (error instanceof SetupError) return { skipped: error.message };
    throw error;
  });

/**
 * Starts a peer written for Node: its own store, one worker process, and one client process that makes and times the
 * calls.
 * @throws {SetupError} when a program or package that the peer needs is missing.
 */
export async function startNodePeer(scene: Scene, peer: NodePeer): Promise<Contender> {
  const { say, signal, upstreamUrl } = scene;
  await obtainPackages({ say, signal });
  const versions = await Promise.all(peer.packages.map(async (name) => `${name} ${await readVersion(name)}`));
  const directory = join(scene.directory, peer.name.replaceAll(/\W+/g, '-'));
  await mkdir(directory, { recursive: true });
  const store = await peer.startStore({ directory: join(directory, 'store'), say, signal });
  const start = (role: 'worker' | 'client') =>
    startChild({
      script: fileURLToPath(new URL(`${role}.mjs`, peer.home)),
      env: { STORE_URL: store.url, UPSTREAM_URL: upstreamUrl, NODE_ENV: 'production' },
      logFile: join(directory, `${role}.log`),
    });
  let worker: Child | undefined;
  let client: Child | undefined;

  async function stop() {
    await worker?.stop();
    await client?.stop();
    await store.stop();
    await rm(directory, { recursive: true, force: true });
  }

  try {
    // The worker starts first, because it creates the tables that the client uses.
    worker = await start('worker');
    client = await start('client');
  } catch (error) {
    await stop();
    throw error;
  }
  const submitting = client;

  return {
    name: peer.name,
    versions: [...versions, store.version],
    storage: store.storage,
    submit: (count, atOnce) => submitting.request<Submissions>('submit', count, atOnce),
    execute: (count) => submitting.request<number[]>('execute', count),
    completed: () => submitting.request<number>('completed'),
    async pauseWorker() {
      await worker?.stop();
      worker = undefined;
    },
    async resumeWorker() {
      worker ??= await start('worker');
    },
    pids: () => [...(worker ? [worker.pid] : []), submitting.pid, store.pid, ...toChildPids(store.pid)],
    stop,
  };
}
