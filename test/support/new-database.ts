import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporalServer } from '../../local/temporal/embedded-temporal.ts';
import { loadConfig } from '../../src/config/config.ts';

/** Returns what the steps of a first start get. They make a new database in `directory` for `dataDir`. */
export function createNewDatabase(root: string, temporalCli: string) {
  const [dataDir, directory] = [join(root, 'data'), join(root, 'data', 'new-database-test')];
  mkdirSync(directory, { recursive: true });
  const toServer = (path: string, port: number) =>
    temporalServer(temporalCli, port, { ...loadConfig({}), dataDir: path });
  return { dataDir, directory, toServer, signal: new AbortController().signal };
}
