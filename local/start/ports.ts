import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../../cli/setup-error.ts';

export type WantedPort = { variable: string; port: number; host: string };

/**
 * Returns why a server cannot listen on the port, followed by the first words of the advice: `is taken: free it, or`.
 * Returns undefined if a server can listen.
 */
async function findObstacle({ port, host }: WantedPort): Promise<string | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ port, host, exclusive: true }), 'listening');
    await new Promise((done) => server.close(done));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return 'is taken: free it, or';
    if (code === 'EACCES') return 'needs more rights than this user has:';
    return `cannot be used on ${host} (${code}): correct that address, or`;
  }
}

/**
 * Checks that servers can listen on all these ports.
 * @throws {SetupError} with a line for each port that cannot be used. Each line names the port's variable.
 */
export async function checkPorts(wanted: WantedPort[]) {
  const faults: string[] = [];
  for (const [index, { variable, port, host }] of wanted.entries()) {
    const twin = wanted.slice(0, index).find((other) => other.port === port);
    if (twin)
      faults.push(`Port ${port} is wanted twice, by ${twin.variable} and ${variable}: set one to another port.`);
    const obstacle = twin ? undefined : await findObstacle({ variable, port, host });
    if (obstacle) faults.push(`Port ${port} (${variable}) ${obstacle} set ${variable} to another port.`);
  }
  if (faults.length > 0) throw new SetupError(faults.join('\n'));
}
