import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { findEngineFault } from '../../../src/temporal/fault.ts';

const temporal = { address: 'temporal.test:7233', namespace: 'orders' };

/** Returns a client whose server has this version and these capabilities. */
const toClient = (serverVersion: string, capabilities?: object) =>
  ({
    workflowService: {
      describeNamespace: async () => ({ namespaceInfo: { capabilities } }),
      getSystemInfo: async () => ({ serverVersion }),
    },
  }) as unknown as Client;

const able = { standaloneActivities: true, standaloneActivityStartDelay: true };

test.each([
  ['knows no capabilities', toClient('1.24.2')],
  ['has no standalone activities', toClient('1.29.1', { eagerWorkflowStart: true })],
  ['has standalone activities without a start delay', toClient('1.30.0', { standaloneActivities: true })],
])('a server that %s is refused, and the line says which version is needed', async (_, client) => {
  const fault = await findEngineFault(client, { engine: 'activity', temporal });
  expect(fault).toMatch(
    /^ENGINE=activity needs Temporal 1\.32 .*temporal\.test:7233 is 1\.\d\d\.\d .*set ENGINE=workflow/,
  );
});

test('a server with standalone activities is accepted', async () => {
  expect(await findEngineFault(toClient('1.32.1', able), { engine: 'activity', temporal })).toBeUndefined();
});

test('the engine workflow needs no such server, and asks nothing', async () => {
  expect(await findEngineFault({} as Client, { engine: 'workflow', temporal })).toBeUndefined();
});
