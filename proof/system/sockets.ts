import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** States of a TCP socket in /proc/net/tcp (Linux, include/net/tcp_states.h). */
const states = { established: '01', listening: '0A' } as const;

type Socket = { link: string; localPort: number; remotePort: number; state: string };

const toPort = (address = '') => Number.parseInt(address.split(':')[1] ?? '', 16);

function readTable(name: 'tcp' | 'tcp6'): Socket[] {
  const [, ...rows] = readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n');
  return rows.map((row) => {
    const [, local, remote, state = '', , , , , , inode] = row.trim().split(/\s+/);
    return { link: `socket:[${inode}]`, localPort: toPort(local), remotePort: toPort(remote), state };
  });
}

const readSockets = () => [...readTable('tcp'), ...readTable('tcp6')];

/** What the open files of a process are; none for a process that is gone or another user's. */
function readLinks(pid: number): string[] {
  const readLink = (fd: string) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  };
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(readLink);
  } catch {
    return [];
  }
}

/** lsof, for systems without /proc: one line a hit; it ends with 1 when there is none. */
function listWithLsof(...args: string[]): string[] {
  try {
    return execFileSync('lsof', ['-nP', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
  } catch {
    return [];
  }
}

/** How many established TCP connections the operating system sees from process `pid` to `port`. */
export function countSockets(pid: number, port: number): number {
  if (process.platform !== 'linux')
    return listWithLsof('-a', '-p', `${pid}`, `-iTCP:${port}`, '-sTCP:ESTABLISHED', '-Ff').filter((line) =>
      /^f\d/.test(line),
    ).length;
  const connected = readSockets().filter(
    ({ remotePort, state }) => remotePort === port && state === states.established,
  );
  const links = new Set(readLinks(pid));
  return connected.filter(({ link }) => links.has(link)).length;
}

/** The process that listens on a port of this machine; undefined if there is none that this user may see. */
export function findListener(port: number): number | undefined {
  if (process.platform !== 'linux')
    return listWithLsof('-t', `-iTCP:${port}`, '-sTCP:LISTEN').map(Number).find(Boolean);
  const listening = readSockets().filter(({ localPort, state }) => localPort === port && state === states.listening);
  const wanted = new Set(listening.map(({ link }) => link));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => readLinks(pid).some((link) => wanted.has(link)));
}
