import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { obtainTemporal, type TemporalProgram } from '../../local/obtain/temporal.ts';
import { startGuarded } from '../../local/processes/guarded.ts';
import { findFreePort } from '../../local/processes/ports.ts';
import { temporalServer } from '../../local/temporal/embedded-temporal.ts';
import { prepareTemporal } from '../../local/temporal/prepare-temporal.ts';
import { loadConfig, loadEnvironment } from '../../src/config/config.ts';
import { databaseFile } from '../../src/embedded/database.ts';
import type { Contender, Scene, StartContender } from '../contender.ts';
import { rowNames } from '../goals.ts';
import { baseEnvironment } from '../peer/child.ts';
import { orSkipped } from '../peer/node-peer.ts';
import { startBare } from './bare.ts';

const namespace = 'default';

/**
 * Returns the arguments that run a server with Temporal's own defaults on an SQLite file as durable as ours: without a
 * write-ahead log, activities were lost under load until their timeout. Temporal's own server gets the configuration of
 * the embedded server, without its dynamic configuration.
 */
async function toStockArguments(program: TemporalProgram, directory: string, port: number): Promise<string[]> {
  if (!program.webUi)
    return [
      ...['server', 'start-dev', '--headless', '--port', `${port}`, '--db-filename', databaseFile],
      ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'],
    ];
  const { args } = await temporalServer(program, { directory, port, namespace });
  const file = join(directory, 'config', 'temporal.yaml');
  const config = JSON.parse(await readFile(file, 'utf8'));
  config.dynamicConfigClient.filepath = join(directory, 'none.yaml');
  await writeFile(config.dynamicConfigClient.filepath, '{}');
  await writeFile(file, JSON.stringify(config));
  return args;
}

async function start(scene: Scene): Promise<Contender> {
  const { say, signal } = scene;
  const directory = join(scene.directory, 'stock-temporal');
  await mkdir(directory, { recursive: true });
  const { temporalCliPath: explicitPath } = loadConfig(loadEnvironment());
  const program = await obtainTemporal({ explicitPath, say, signal });
  const port = await findFreePort();
  const address = `127.0.0.1:${port}`;
  const server = await startGuarded({
    command: program.path,
    args: await toStockArguments(program, directory, port),
    cwd: directory,
    env: baseEnvironment(),
    logFile: join(directory, 'server.log'),
  });
  const stops = [server.stop];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    await prepareTemporal({ address, namespace }, 1, signal);
    const bare = await startBare({ ...scene, directory }, address);
    stops.push(bare.stop);
    const common = { storage: 'SQLite, WAL, synchronous=NORMAL: kill -9 loses nothing', versions: bare.versions, stop };
    return bare.toContender(rowNames.stock, 'workflow', () => [server.pid], common);
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts bare Temporal on a server with the defaults of `temporal server start-dev`. */
export const startStock: StartContender = (scene) => orSkipped(start(scene));
