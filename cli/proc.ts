import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

// These functions read /proc (see proc(5)), so they work only on Linux. Elsewhere, their callers use other means.

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100;

type Stat = {
  name: string;
  /** `T` is stopped, `Z` is a zombie. */
  state: string;
  ppid: number;
  cpuSeconds: number;
  /** Clock ticks from the boot to the start of the process. */
  startTime: string;
};

/** Returns the fields of `/proc/<pid>/stat` that we use, or undefined if the process is gone. */
export function readStat(pid: number): Stat | undefined {
  try {
    // The process's name may contain spaces and parentheses, so it ends at the last parenthesis.
    const [, name, rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = rest.split(' ');
    const [state, ppid] = fields;
    /** Returns a field by its number in proc(5). The first element of `fields`, the state, has number 3 there. */
    const at = (field: number) => fields[field - 3] ?? '';
    if (name === undefined || !state) return undefined;
    const cpuSeconds = (Number(at(14)) + Number(at(15))) / ticksPerSecond;
    return { name, state, ppid: Number(ppid), cpuSeconds, startTime: at(22) };
  } catch {
    return undefined;
  }
}

/** Returns the id of the current boot. Start times count from the boot, so they are comparable only within one boot. */
export const readBootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** Returns the pids of all processes that this user and this container can see. */
export const listPids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** Returns the pids of a process's children, zombies included. The list is empty if the process is gone. */
export const readChildPids = (pid: number): number[] =>
  orNone(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number));

/**
 * Returns the targets of a process's open file descriptors. The list is empty if the process is gone or belongs to
 * another user.
 */
export const readOpenFiles = (pid: number): string[] =>
  orNone(() => readdirSync(`/proc/${pid}/fd`).flatMap((fd) => orNone(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)])));

/** Returns a process's working directory and arguments as one text. It is '' if the process is gone or foreign. */
export const readCommand = (pid: number): string =>
  orNone(() => [readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/cmdline`, 'utf8')]).join(' ');

/**
 * Returns the memory of a process in MiB, as proportional set size: a page that n processes share counts 1/n for each.
 * @throws {Error} when the process is gone.
 */
export function readMemoryMiB(pid: number): number {
  const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes ?? 0) / 1_024;
}

/** States of a TCP socket (Linux, include/net/tcp_states.h). */
const tcpStates: Record<string, 'established' | 'listening'> = { '01': 'established', '0A': 'listening' };

/** Returns this machine's TCP sockets. `file` is the text that `readOpenFiles` returns for the socket. */
export const readTcpSockets = () => ['tcp', 'tcp6'].flatMap(readTcpTable);

function readTcpTable(name: string) {
  const [, ...rows] = readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n');
  // The bytes of an IPv4 address are in reverse order. IPv6 addresses stay as they are.
  const toHost = (address = '') => {
    const hexadecimal = address.split(':')[0] ?? '';
    return hexadecimal.length === 8 ? [...Buffer.from(hexadecimal, 'hex')].reverse().join('.') : hexadecimal;
  };
  const toPort = (address = '') => Number.parseInt(address.split(':')[1] ?? '', 16);
  return rows.map((row) => {
    const [, local, remote, state = '', , , , , , inode] = row.trim().split(/\s+/);
    const file = `socket:[${inode}]`;
    return {
      file,
      localHost: toHost(local),
      localPort: toPort(local),
      remotePort: toPort(remote),
      state: tcpStates[state],
    };
  });
}

function orNone<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch {
    return [];
  }
}
