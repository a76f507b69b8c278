import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { obtainTimeSkippingServer } from '../../../local/obtain/time-skipping-server.ts';
import { killNow } from '../../../local/processes/end-processes.ts';
import { identify, isAlive } from '../../../local/processes/process-identity.ts';
import { createDirectory, readIfThere, run, waitFor } from '../../support/processes.ts';

const module = new URL('../../../local/obtain/time-skipping-server.ts', import.meta.url).href;

/** Writes an executable that stands in for the server. */
function writeServer(lines: string): string {
  const path = join(createDirectory(), 'server');
  writeFileSync(path, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return path;
}

test('a server that ends at once is refused, and the error has its last output', async () => {
  const explicitPath = writeServer('echo "no such port" >&2; exit 3');
  await expect(obtainTimeSkippingServer({ explicitPath, say: () => {} })).rejects.toThrow(
    `TEMPORAL_TEST_SERVER_PATH=${explicitPath} does not work: ended with 3: no such port. Correct it`,
  );
});

// Seen to fail when the server was spawned without watched-server.sh.
test('a server that is being checked does not outlive a kill -9 of the checking script', async () => {
  const file = join(createDirectory(), 'pid');
  const explicitPath = writeServer(`echo $$ > ${file}; exec sleep 600`);
  const code = `const { obtainTimeSkippingServer } = await import(${JSON.stringify(module)});
    await obtainTimeSkippingServer({ explicitPath: ${JSON.stringify(explicitPath)}, say: () => {} });`;
  const { child } = run(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
  const server = identify(Number(await waitFor(() => readIfThere(file)?.trim())));
  if (!server) throw new Error('The server on trial does not live');
  onTestFinished(() => killNow([server]));
  child.kill('SIGKILL');
  await waitFor(() => !isAlive(server), 20_000);
});
