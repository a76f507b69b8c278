import { expect, test } from 'vitest';
import { isAlive } from '../../../local/processes/process-identity.ts';
import {
  createPlace,
  expectNothingLeft,
  start,
  submit,
  type Task,
  untilCompleted,
  untilReady,
  untilRunning,
} from '../../support/place.ts';
import { waitFor } from '../../support/processes.ts';

// Negative control: with a take-over that ends no orphans, the second start finds its ports taken.
test('every accepted task ends, whichever process is killed with -9 meanwhile, npm start itself included', async () => {
  const place = await createPlace();
  const first = start(place, '--demo');
  await untilReady(first);
  const begin = place.readChildren();
  expect(begin.map(({ name }) => name)).toEqual(['watchdog', 'Temporal', 'joke API', 'worker', 'API']);
  const { output } = await untilCompleted(place, (await submit(place)).id);
  expect(output?.joke).toMatch(/\S/);

  const rival = start(place, '--demo');
  await expect(rival.ended).resolves.toEqual([1, null]);
  expect(rival.errors()).toContain(`already runs on DATA_DIR ${place.dataDir} (pid ${first.pid})`);

  const slow = { then: [{ delayMs: 1_500 }], repeat: true };
  await fetch(`${place.jokeApi}/admin/rules`, { method: 'POST', body: JSON.stringify(slow) });
  const accepted: Task[] = [];
  for (const name of ['worker', 'API', 'Temporal']) {
    accepted.push(await submit(place), await submit(place));
    await untilRunning(place, accepted.at(-1)?.id ?? '');
    const pid = await place.kill9(name);
    await waitFor(() => first.lines.some((line) => line.startsWith(`${name} (pid ${pid}) ended with signal SIGKILL`)));
  }
  for (const { id } of accepted) await untilCompleted(place, id);

  accepted.push(await submit(place));
  await untilRunning(place, accepted.at(-1)?.id ?? '');
  const orphans = place.readChildren();
  expect(orphans).toHaveLength(5);
  // Without the watchdog the Temporal binary lives on: the next start must end it before it opens the database.
  await place.kill9('watchdog');
  first.child.kill('SIGKILL');
  const second = start(place, '--demo');
  await untilReady(second);
  expect(second.lines.join('\n')).toMatch(/Ending Temporal \(pid \d+\), left behind by an earlier start/);
  expect(orphans.filter(isAlive)).toEqual([]);
  for (const { id } of accepted) await untilCompleted(place, id);

  const children = place.readChildren();
  second.child.kill('SIGINT');
  await expect(second.ended).resolves.toEqual([130, null]);
  await expectNothingLeft(place, children);
}, 120_000);
