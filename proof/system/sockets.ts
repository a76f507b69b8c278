import { execFileSync } from 'node:child_process';
import { listPids, readOpenFiles, readTcpSockets } from '../../cli/proc.ts';

/**
 * Returns the lines that lsof prints, one for each match. This is for systems without /proc. If nothing matches, lsof
 * exits with 1 and the list is empty.
 */
function listWithLsof(...args: string[]): string[] {
  try {
    return execFileSync('lsof', ['-nP', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
  } catch {
    return [];
  }
}

/** Returns how many established TCP connections process `pid` has to `port`, according to the operating system. */
export function countSockets(pid: number, port: number): number {
  if (process.platform !== 'linux')
    return listWithLsof('-a', '-p', `${pid}`, `-iTCP:${port}`, '-sTCP:ESTABLISHED', '-Ff').filter((line) =>
      /^f\d/.test(line),
    ).length;
  const open = new Set(readOpenFiles(pid));
  return readTcpSockets().filter(
    ({ file, remotePort, state }) => remotePort === port && state === 'established' && open.has(file),
  ).length;
}

/** Returns the pid of the process that listens on a port of this machine, or undefined if this user sees none. */
export function findListener(port: number): number | undefined {
  if (process.platform !== 'linux')
    return listWithLsof('-t', `-iTCP:${port}`, '-sTCP:LISTEN').map(Number).find(Boolean);
  const listening = readTcpSockets().filter(({ localPort, state }) => localPort === port && state === 'listening');
  const wanted = new Set(listening.map(({ file }) => file));
  return listPids().find((pid) => readOpenFiles(pid).some((file) => wanted.has(file)));
}

/** Returns the TCP addresses at which process `pid` listens, as `host:port`. */
export function listListeners(pid: number): string[] {
  if (process.platform !== 'linux')
    return listWithLsof('-a', '-p', `${pid}`, '-iTCP', '-sTCP:LISTEN', '-Fn').flatMap((line) =>
      line.startsWith('n') ? [line.slice(1)] : [],
    );
  const open = new Set(readOpenFiles(pid));
  return readTcpSockets()
    .filter(({ file, state }) => state === 'listening' && open.has(file))
    .map(({ localHost, localPort }) => `${localHost}:${localPort}`);
}
