import { expect, inject, test } from 'vitest';
import { isAlive } from '../../../local/processes/process-identity.ts';
import {
  createInstallation,
  expectNothingLeft,
  start,
  submit,
  type Task,
  untilCompleted,
  untilReady,
  untilRunning,
} from '../../support/installation.ts';
import { waitFor } from '../../support/processes.ts';

// Negative control: with a takeover that ends no orphans, the second start finds its ports taken.
test('every accepted task ends although any process is killed with -9, including npm start', async () => {
  const installation = await createInstallation();
  const first = start(installation, '--demo');
  await untilReady(first);
  const begin = installation.readChildren();
  const servers = inject('temporal').webUi ? ['Temporal', 'Web UI'] : ['Temporal'];
  expect(begin.map(({ name }) => name)).toEqual(['watchdog', ...servers, 'joke API', 'worker', 'API']);
  const { output } = await untilCompleted(installation, (await submit(installation)).id);
  expect(output?.joke).toMatch(/\S/);

  const rival = start(installation, '--demo');
  await expect(rival.ended).resolves.toEqual([1, null]);
  expect(rival.errors()).toContain(`already runs on DATA_DIR ${installation.dataDir} (pid ${first.pid})`);

  const slow = { then: [{ delayMs: 1_500 }], repeat: true };
  await fetch(`${installation.jokeApi}/admin/rules`, { method: 'POST', body: JSON.stringify(slow) });
  const accepted: Task[] = [];
  for (const name of ['worker', 'API', ...servers]) {
    accepted.push(await submit(installation), await submit(installation));
    await untilRunning(installation, accepted.at(-1)?.id ?? '');
    const pid = await installation.kill9(name);
    await waitFor(() => first.lines.some((line) => line.startsWith(`${name} (pid ${pid}) ended with signal SIGKILL`)));
  }
  for (const { id } of accepted) await untilCompleted(installation, id);

  accepted.push(await submit(installation));
  await untilRunning(installation, accepted.at(-1)?.id ?? '');
  const orphans = installation.readChildren();
  expect(orphans).toHaveLength(begin.length);
  // Without the watchdog, Temporal keeps running. The next start must end it before it opens the database.
  await installation.kill9('watchdog');
  first.child.kill('SIGKILL');
  const second = start(installation, '--demo');
  await untilReady(second);
  expect(second.lines.join('\n')).toMatch(/Ending Temporal \(pid \d+\), left behind by an earlier start/);
  expect(orphans.filter(isAlive)).toEqual([]);
  for (const { id } of accepted) await untilCompleted(installation, id);

  const children = installation.readChildren();
  second.child.kill('SIGINT');
  await expect(second.ended).resolves.toEqual([130, null]);
  await expectNothingLeft(installation, children);
}, 120_000);
