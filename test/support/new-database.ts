import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TemporalProgram } from '../../local/obtain/temporal.ts';
import { temporalServer } from '../../local/temporal/embedded-temporal.ts';

/** Returns what the steps of a first start get. They make a new database in `directory` for `dataDir`. */
export function createNewDatabase(root: string, program: TemporalProgram) {
  const [dataDir, directory] = [join(root, 'data'), join(root, 'data', 'new-database-test')];
  mkdirSync(directory, { recursive: true });
  const toServer = (path: string, port: number) =>
    temporalServer(program, { directory: path, port, namespace: 'default', schemaOnly: true });
  return { dataDir, directory, toServer, signal: new AbortController().signal };
}
