import { expect, onTestFinished, test } from 'vitest';
import { startHoldfast } from '../../../support/holdfast.ts';
import { toSecret } from '../../../support/signed-in.ts';

const API_KEYS = ['ops', 'other'].map((owner) => `${owner}:${toSecret(owner)}`).join(',');

// Seen to fail without `requireOperator`: any key read the metrics of all keys.
test.each([
  ['names one key, only this key reads', { OPERATORS: 'ops' }, 403],
  ['is unset, every key reads', {}, 200],
])('while OPERATORS %s /metrics', async (_, operators, others) => {
  const { url, stop } = await startHoldfast({ API_KEYS, ...operators });
  onTestFinished(stop);
  const read = async (owner: string) => {
    const headers = { authorization: `Bearer ${toSecret(owner)}` };
    return (await fetch(`${url}/metrics`, { headers })).status;
  };
  expect([await read('ops'), await read('other')]).toEqual([200, others]);
});
