import { expect, test } from 'vitest';
import { SetupError } from '../../cli/setup-error.ts';
import { holdsSoon, until } from '../../cli/until.ts';

const fast = { everyMs: 1, withinMs: 20 };

test('returns the first truthy fact', async () => {
  const facts = [undefined, false, '', 0, 'up', 'later'];
  await expect(until(() => facts.shift(), { everyMs: 1 })).resolves.toBe('up');
  expect(facts).toEqual(['later']);
});

test('reads once even when there is no time left', async () => {
  await expect(until(async () => 'up', { withinMs: 0 })).resolves.toBe('up');
});

test('ends with the message for a timeout as a SetupError, or with the error of the caller', async () => {
  const read = () => false;
  const message = until(read, { ...fast, onTimeout: () => 'Free the port.' });
  await expect(message).rejects.toThrow(new SetupError('Free the port.'));
  const fault = new RangeError('own');
  await expect(until(read, { ...fast, onTimeout: () => fault })).rejects.toBe(fault);
  await expect(until(read, fast)).rejects.toThrow('Still not so after 0.02 s: () => false');
});

test('ends at once when the signal aborts, also while it pauses, and with what the read throws', async () => {
  const controller = new AbortController();
  const waiting = until(() => false, { everyMs: 60_000, signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toThrow(/abort/i);
  await expect(until(() => true, { signal: controller.signal })).rejects.toThrow(/abort/i);
  await expect(until(() => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
});

test('holdsSoon says whether the fact held in time, and passes on what the read throws', async () => {
  await expect(holdsSoon(() => true, fast)).resolves.toBe(true);
  await expect(holdsSoon(() => false, fast)).resolves.toBe(false);
  await expect(holdsSoon(() => false, { signal: AbortSignal.abort() })).resolves.toBe(false);
  await expect(holdsSoon(() => Promise.reject(new Error('gone')), fast)).rejects.toThrow('gone');
});
