import { expect, test } from 'vitest';
import { createServerOutput } from '../../../local/temporal/server-output.ts';
import { createReportedFault, findDatabaseFault, toFaultDetail } from '../../../src/embedded/faults.ts';

// Lines of server 1.29.1 with a full disk, a file size limit, and a database of which a tenth was overwritten.
test.each([
  ['full', 'error="UpdateShard operation failed. Failed to commit transaction. Error: database or disk is full (13)"'],
  ['unreadable', 'error="CreateTasks operation failed. Failed to commit transaction. Error: disk I/O error (778)"'],
  ['malformed', 'error="GetTimerTasks operation failed. Select failed. Error: database disk image is malformed (11)"'],
] as const)('a database that is %s is recognized by the messages of the server', (fault, line) => {
  expect(findDatabaseFault(line)).toBe(fault);
});

test('other errors of the server are no fault of its database', () => {
  expect(findDatabaseFault('level=ERROR msg="service failures" error="shard status unknown"')).toBeUndefined();
});

test('npm start reports a fault to the user once, and to the API every second while it lasts', () => {
  const said: string[] = [];
  const sent: object[] = [];
  let ms = 0;
  const { read, readLastError } = createServerOutput({
    say: (line) => said.push(line),
    send: (message) => sent.push(message),
    now: () => ms,
  });
  expect(readLastError()).toBe('It said nothing.');
  for (ms = 0; ms < 2_500; ms += 100) read('level=ERROR error="database disk image is malformed (11)"');
  expect(said).toEqual([expect.stringMatching(/^\*\*\* .*malformed.* \*\*\*$/)]);
  expect(sent).toEqual(Array(3).fill({ databaseFault: 'malformed' }));
  read('level=ERROR error="database or disk is full (13)"');
  expect(sent.at(-1)).toEqual({ databaseFault: 'full' });
  expect(said.at(-1)).toContain(toFaultDetail('full'));
  read('level=ERROR error="the last one"');
  expect(readLastError()).toBe('It said: level=ERROR error="the last one"');
  const line = '{"level":"error","msg":"Fail to process task","error":"disk I/O error","stacktrace":"…"}';
  const readable = 'Temporal: level=ERROR msg="Fail to process task" error="disk I/O error"';
  expect(read(line)).toBe(readable);
  expect(read('All services are stopped.')).toBe('All services are stopped.');
  expect(readLastError()).toBe(`It said: ${readable}`);
});

test('a reported fault counts as passed if the server has not repeated it for a minute', () => {
  let ms = 0;
  const { receive, read } = createReportedFault(() => ms);
  for (const message of [undefined, null, 'full', 1, {}, { databaseFault: 'other' }]) receive(message);
  expect(read()).toBeUndefined();
  receive({ databaseFault: 'full' });
  ms = 59_000;
  expect(read()).toBe('full');
  receive({ databaseFault: 'malformed' });
  ms = 118_000;
  expect(read()).toBe('malformed');
  ms = 120_000;
  expect(read()).toBeUndefined();
});
