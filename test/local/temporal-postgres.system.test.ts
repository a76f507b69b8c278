import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { nodeArguments } from '../../cli/node-arguments.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { isAlive } from '../../local/processes/process-identity.ts';
import { readLock } from '../../local/start/lock-file.ts';
import { eventually, isFinished, startHoldfast } from '../support/holdfast.ts';
import { createDirectory, run, waitFor } from '../support/processes.ts';

const script = fileURLToPath(new URL('../../scripts/temporal-postgres.ts', import.meta.url));
// Go builds the server if it is not cached.
const upWithinMs = 10 * 60_000;

// Seen to fail without waitUntilUsable, which waits for history and matching: the first submission was a 500.
test(
  'the production server on PostgreSQL keeps tasks through kill -9 of itself, of its database and of its starter',
  async () => {
    const dataDir = join(createDirectory(), 'data');
    const port = await findFreePort();
    const env = { DATA_DIR: dataDir, EMBEDDED_TEMPORAL_PORT: `${port}`, TEMPORAL_ADDRESS: '' };
    const readChildren = () => readLock(join(dataDir, 'temporal-postgres', 'lock.json'))?.children ?? [];
    const start = async () => {
      const started = run(process.execPath, nodeArguments(script), env);
      await waitFor(() => {
        if (started.child.exitCode !== null) throw new Error([...started.lines, started.errors()].join('\n'));
        return started.lines.some((line) => line.includes(`TEMPORAL_ADDRESS=127.0.0.1:${port}`));
      }, upWithinMs);
      return started;
    };

    const first = await start();
    const holdfast = await startHoldfast({ TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
    onTestFinished(() => holdfast.stop());
    const worker = await holdfast.startWorker();
    const done = await holdfast.until((await holdfast.submit()).id, isFinished);
    expect(done.status).toBe('completed');
    await worker.stop();
    const { id: waiting } = await holdfast.submit();

    const children = readChildren();
    expect(children.map(({ name }) => name)).toEqual(['PostgreSQL', 'Temporal']);
    for (const { pid } of [first, ...children]) process.kill(pid, 'SIGKILL');
    await first.ended;
    await waitFor(() => !children.some(isAlive));

    const second = await start();
    const read = (id: string) =>
      eventually(
        () => holdfast.call('GET', `/tasks/${id}`),
        ({ status }) => status === 200,
      );
    expect((await read(done.id)).body).toEqual(done);
    await read(waiting);
    await holdfast.startWorker();
    expect((await holdfast.until(waiting, isFinished)).status).toBe('completed');

    const restarted = readChildren();
    second.child.kill('SIGINT');
    await expect(second.ended).resolves.toEqual([130, null]);
    expect(restarted.filter(isAlive)).toEqual([]);
  },
  15 * 60_000,
);
