import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { until } from '../../cli/until.ts';
import { obtainTemporalCli } from '../../local/obtain/temporal-cli.ts';
import { startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { loadConfig, loadEnvironment } from '../../src/config/config.ts';
import type { Contender, Scene, StartContender } from '../contender.ts';
import { rowNames } from '../goals.ts';
import { baseEnvironment } from '../peer/child.ts';
import { orSkipped } from '../peer/node-peer.ts';
import { startBare } from './bare.ts';

async function start(scene: Scene): Promise<Contender> {
  const { say, signal } = scene;
  const directory = join(scene.directory, 'stock-temporal');
  await mkdir(directory, { recursive: true });
  const { temporalCliPath: explicitPath } = loadConfig(loadEnvironment());
  const port = await findFreePort();
  const address = `127.0.0.1:${port}`;
  const server = await startGuarded({
    command: await obtainTemporalCli({ explicitPath, say, signal }),
    args: ['server', 'start-dev', '--headless', '--port', `${port}`, '--db-filename', 'temporal.db'],
    cwd: directory,
    env: baseEnvironment(),
    logFile: join(directory, 'server.log'),
  });
  const stops = [server.stop];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    const connection = Connection.lazy({ address });
    const isServing = () =>
      connection
        .withDeadline(Date.now() + 1_000, () => connection.workflowService.describeNamespace({ namespace: 'default' }))
        .then(
          () => true,
          () => false,
        );
    await until(isServing, { withinMs: 60_000, everyMs: 100, signal });
    await connection.close();
    const bare = await startBare({ ...scene, directory }, address);
    stops.push(bare.stop);
    const storage = 'SQLite as `temporal server start-dev` sets it';
    const common = { storage, versions: bare.versions, stop };
    return bare.toContender(rowNames.stock, 'workflow', () => [server.pid], common);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts bare Temporal on `temporal server start-dev` without any further flags but the name of its database. */
export const startStock: StartContender = (scene) => orSkipped(start(scene));
