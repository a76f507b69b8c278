import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { findFreePort } from '../../local/processes/ports.ts';
import { temporalServer } from '../../local/temporal/embedded-temporal.ts';
import { prepareTemporal } from '../../local/temporal/prepare-temporal.ts';
import { eventually } from './holdfast.ts';

/** Creates a Temporal server for one test file. It can be killed, paused and restarted on its port and database. */
export async function createOwnTemporal() {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-temporal-'));
  const port = await findFreePort();
  const address = `127.0.0.1:${port}`;
  const namespace = 'default';
  let child: ChildProcess | undefined;
  let ended: Promise<unknown> = Promise.resolve();

  const isServing = async () => {
    const connection = Connection.lazy({ address });
    try {
      const check = { service: 'temporal.api.workflowservice.v1.WorkflowService' };
      const { status } = await connection.withDeadline(Date.now() + 1_000, () => connection.healthService.check(check));
      return status === 1;
    } catch {
      return false;
    } finally {
      await connection.close();
    }
  };

  const temporal = {
    address,
    async start() {
      const { command, args, cwd, env } = await temporalServer(inject('temporal'), { directory, port, namespace });
      child = spawn(command, args, { cwd, env, stdio: 'ignore' });
      ended = once(child, 'exit');
      await prepareTemporal({ address, namespace }, 1, new AbortController().signal);
    },
    /** Sends SIGKILL: connections break at once. */
    async kill() {
      child?.kill('SIGKILL');
      await ended;
    },
    /** Sends SIGSTOP: connections stay open and nothing answers. */
    async stop() {
      child?.kill('SIGSTOP');
      await eventually(isServing, (serving) => !serving);
    },
    resume: () => child?.kill('SIGCONT'),
    async remove() {
      await temporal.kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return temporal;
}
