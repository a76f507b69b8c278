import { execa } from 'execa';
import { SetupError } from '../../cli/setup-error.ts';
import type { Postgres } from '../databases/postgres.ts';
import { toOneLine } from '../obtain/first-working.ts';

/** The name of each store's database, and of its schema. docker-compose.yml uses the same names. */
export const databases = { default: 'temporal', visibility: 'temporal_visibility' } as const;
export const schemas = { default: 'postgresql/v12/temporal', visibility: 'postgresql/v12/visibility' } as const;

/**
 * Creates both databases, or updates those of an older server version. Changes nothing if both are up to date.
 * @throws {SetupError} naming the step that failed, with the end of its error.
 */
export async function prepareSchema(sqlTool: string, { port, password }: Postgres, signal: AbortSignal) {
  for (const store of ['default', 'visibility'] as const) {
    const where = ['--plugin', 'postgres12', '--endpoint', '127.0.0.1', '--port', String(port), '--user', 'postgres'];
    const steps = [
      ['create-database'],
      ['setup-schema', '--version', '0.0'],
      ['update-schema', '--schema-name', schemas[store]],
    ];
    for (const step of steps)
      await execa(sqlTool, [...where, '--database', databases[store], ...step], {
        // The password is not passed as an argument, because process listings show arguments.
        env: { SQL_PASSWORD: password },
        stdin: 'ignore',
        all: true,
        cancelSignal: signal,
      }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw new SetupError(`Temporal's schema: ${step[0]} failed for ${databases[store]}: ${toOneLine(error)}`);
      });
  }
}
