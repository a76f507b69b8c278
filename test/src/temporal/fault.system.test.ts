import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { findFreePort } from '../../../local/processes/ports.ts';
import { startDenyingTemporal } from '../../support/denying-temporal.ts';
import { type StartedProcess, startProcess } from '../../support/start-process.ts';

const namespace = `missing-${randomUUID()}`;
let denying: Awaited<ReturnType<typeof startDenyingTemporal>>;
const web = createServer((_, response) => response.end('no gRPC'));
let child: StartedProcess | undefined;

beforeAll(async () => {
  denying = await startDenyingTemporal();
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
});
afterEach(() => child?.end('SIGKILL'));
afterAll(() => {
  denying.close();
  web.close();
});

/** Each fault: the variables that cause it, and what the line must say. */
const faults = {
  'a missing namespace': () => ({
    env: { TEMPORAL_ADDRESS: inject('devServer'), TEMPORAL_NAMESPACE: namespace },
    line: new RegExp(`has no namespace ${namespace}: .*TEMPORAL_NAMESPACE`),
  }),
  'a missing permission': () => ({
    env: { TEMPORAL_ADDRESS: denying.address },
    line: /denies access to namespace default \(Request unauthorized\.\): .*TEMPORAL_API_KEY/,
  }),
  'TLS with a server that has none': () => ({
    env: { TEMPORAL_ADDRESS: inject('devServer'), TEMPORAL_TLS: 'true' },
    line: /^The TLS connection .* fails \(SSL routines: wrong version number\): .*TEMPORAL_TLS/,
  }),
  'an address where nothing listens': async () => ({
    env: { TEMPORAL_ADDRESS: `127.0.0.1:${await findFreePort()}` },
    line: /cannot be reached \(connect ECONNREFUSED .*\): .*TEMPORAL_ADDRESS/,
  }),
  'an address of another protocol': () => ({
    env: { TEMPORAL_ADDRESS: `127.0.0.1:${(web.address() as AddressInfo).port}` },
    line: /cannot be reached \(.*\): .*TEMPORAL_ADDRESS.* TEMPORAL_TLS/,
  }),
  'an unknown host': () => ({
    env: { TEMPORAL_ADDRESS: 'temporal.invalid:7233' },
    line: /^The host name of Temporal at temporal\.invalid:7233 is unknown: .*TEMPORAL_ADDRESS/,
  }),
};

describe.each(['server', 'worker'] as const)('%s', (name) => {
  // Seen to fail: the API said nothing, and the worker said "start it" in each case.
  test.each(Object.keys(faults) as (keyof typeof faults)[])('says in one line that it has %s', async (fault) => {
    const { env, line } = await faults[fault]();
    child = startProcess(name, { ...env, PORT: String(await findFreePort()), WORKER_METRICS_ADDRESS: '127.0.0.1:0' });
    const output = await child.waitForOutput('"level":40');
    const warnings = output
      .split('\n')
      .filter((text) => text.startsWith('{"level":40'))
      .map((text) => JSON.parse(text).msg);
    expect(warnings).toEqual([expect.stringMatching(line)]);
  });
});
