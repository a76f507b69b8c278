import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listPids, readChildPids, readCommand, readMemoryMiB, readOpenFiles, readStat } from '../../cli/proc.ts';
import { until } from '../../cli/until.ts';
import { countSockets, findListener } from '../../proof/system/sockets.ts';

test('reads name, state, parent, times, command and memory of a process whose name has spaces and brackets', async () => {
  const code = `process.title = 'a) b (c'; console.log(); setInterval(() => {}, 1e6)`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid as number;
  expect(readStat(pid)).toMatchObject({ name: 'a) b (c', state: expect.stringMatching(/^[RS]$/), ppid: process.pid });
  expect(Number(readStat(pid)?.startTime)).toBeGreaterThan(0);
  expect(readStat(pid)?.cpuSeconds).toBeLessThan(60);
  expect(readMemoryMiB(pid)).toBeGreaterThan(1);
  expect(readCommand(pid)).toContain(process.cwd());
  expect(readChildPids(process.pid)).toContain(pid);
  expect(listPids()).toContain(pid);
  child.kill('SIGSTOP');
  await until(() => readStat(pid)?.state === 'T', { withinMs: 5_000 });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect([readStat(pid), readOpenFiles(pid), readChildPids(pid), readCommand(pid)]).toEqual([undefined, [], [], '']);
});

test('finds the listener of a port, and counts the connections to it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(findListener(port)).toBe(process.pid);
  expect(countSockets(process.pid, port)).toBe(0);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  expect(countSockets(process.pid, port)).toBe(1);
});
