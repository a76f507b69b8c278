import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';
import { findFreePort } from '../../src/free-port.ts';
import { run, waitFor } from '../support/processes.ts';

const server = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

// Seen to fail with pino's own destination, which at the exit tries the lost lines again and again and never ends.
test('a process whose log nobody reads any more ends as soon as it is asked to', async () => {
  const { child, lines, ended } = run(process.execPath, ['--import', 'tsx', server], {
    PORT: String(await findFreePort()),
    TEMPORAL_ADDRESS: inject('devServer'),
    LOG_LEVEL: 'info',
    API_KEYS: '',
  });
  await waitFor(() => lines.some((line) => line.includes('API listens')));
  child.stdout.destroy();
  child.kill('SIGTERM');
  const askedAt = performance.now();
  expect(await ended).toEqual([0, null]);
  expect(performance.now() - askedAt).toBeLessThan(4_000);
}, 60_000);
