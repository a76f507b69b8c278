import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import { type Percentiles, toPercentiles } from '../../cli/measurement.ts';
import type { Scene } from './start-scene.ts';

/** The maximum number of event streams of an API process. Clients above this number submit with `wait=60` instead. */
const mostStreams = 500;
const submissions = 200;
const idleMs = 5_000;

export type Crowd = {
  /** The number of clients. Each follows a task that does not change. */
  clients: number;
  /** The latency of other submissions, ten at a time, while these clients are connected. */
  latency: Percentiles;
  /** How much of a core the API uses while these clients are connected and nothing is submitted. 1 is a full core. */
  cpuShare: number;
  memoryMiB: number;
};

/** Connects clients to the API while no worker runs. Measures their cost to the API, and how long submissions take. */
export async function measureClients(
  scene: Scene,
  { clients, signal }: { clients: number; signal: AbortSignal },
): Promise<Crowd> {
  await scene.setWorkers(0);
  const leave = new AbortController();
  const dispatcher = new Agent({ connections: null, bodyTimeout: 0, headersTimeout: 0 });
  const options = { dispatcher, signal: AbortSignal.any([signal, leave.signal]) };
  const post = (query: string) =>
    fetch(`${scene.url}/tasks/fetch-joke?delay=86400${query}`, { method: 'POST', ...options });
  const open: Promise<unknown>[] = [];
  const follow = async () => {
    const { id } = (await (await post('')).json()) as { id: string };
    const { status, body } = await fetch(`${scene.url}/tasks/${id}/events`, options);
    if (status !== 200 || !body) throw new Error(`GET /tasks/${id}/events answered ${status}`);
    open.push(drain(body));
  };
  try {
    for (let index = 0; index < Math.min(clients, mostStreams); index += 10)
      await Promise.all(Array.from({ length: Math.min(10, clients - index) }, follow));
    for (let index = mostStreams; index < clients; index += 1)
      open.push(
        post('&wait=60')
          .then((answer) => answer.text())
          .catch(() => {}),
      );
    const { latenciesMs } = await scene.submit(submissions, 10);
    const before = scene.read().api.cpuSeconds;
    await sleep(idleMs, undefined, { signal });
    const { cpuSeconds, memoryMiB } = scene.read().api;
    return {
      clients,
      latency: toPercentiles(latenciesMs),
      cpuShare: (cpuSeconds - before) / (idleMs / 1_000),
      memoryMiB,
    };
  } finally {
    leave.abort();
    await Promise.allSettled(open);
    await dispatcher.destroy();
  }
}

/** Reads and discards a body until either side ends it. */
async function drain(body: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of body);
  } catch {
    // We disconnected.
  }
}
