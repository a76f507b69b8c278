import { toPercentileLine, toPercentiles } from '../../../cli/measurement.ts';
import { type Check, expectThat } from '../../checks/check.ts';
import { submitAtOnce, untilAllFinished } from '../load.ts';
import { countSockets } from '../sockets.ts';
import type { Target } from '../target/target.ts';

const title = 'Temporal Connection Pool';
const reads = 1_000;
const tasksRead = 100;
const mostSockets = 2;
const sampleMs = 20;

/** The API multiplexes all calls over one connection to Temporal. Load does not open more connections. */
export const connections: Check<Target> = {
  title,
  unavailable({ findApiPid, temporalPort }) {
    const pid = findApiPid();
    if (pid === undefined) return 'the sockets of an API can be counted only on its machine, by the user that runs it';
    return countSockets(pid, temporalPort) > 0
      ? undefined
      : `no socket of the API leads to port ${temporalPort}: run this where Holdfast's .env is, or set TEMPORAL_ADDRESS`;
  },
  async run(target, tools) {
    const { holdfast, temporalPort } = target;
    const { say, progress, signal } = tools;
    const pid = target.findApiPid() ?? 0;
    const { tasks, faults } = await submitAtOnce(target, { check: title, count: tasksRead }, tools);
    expectThat(faults.length === 0, `${faults.length} submissions were not accepted, first: ${faults[0]}`);
    target.record.finished(title, await untilAllFinished(holdfast, tasks, tools), []);

    say(`${reads} parallel status reads of ${tasksRead} tasks...`);
    const samples: number[] = [countSockets(pid, temporalPort)];
    const sampler = setInterval(() => samples.push(countSockets(pid, temporalPort)), sampleMs);
    const latenciesMs: number[] = [];
    const errors: string[] = [];
    const started = performance.now();
    try {
      const read = async (index: number) => {
        const sent = performance.now();
        const { id = '' } = tasks[index % tasks.length] ?? {};
        try {
          const task = await holdfast.read(id);
          if (task.id !== id || task.finishedAt === undefined)
            errors.push(`${id} was read as ${task.id}, ${task.status}`);
        } catch (error) {
          signal.throwIfAborted();
          errors.push((error as Error).message);
        }
        latenciesMs.push(performance.now() - sent);
        progress('Reading', latenciesMs.length, reads);
      };
      await Promise.all(Array.from({ length: reads }, (_, index) => read(index)));
    } finally {
      clearInterval(sampler);
    }
    samples.push(countSockets(pid, temporalPort));
    const most = Math.max(...samples);
    say(`  Time taken: ${((performance.now() - started) / 1_000).toFixed(2)}s`);
    say(`  Successful: ${reads - errors.length}/${reads}`);
    say(`  Latency: ${toPercentileLine(toPercentiles(latenciesMs))}`);
    say(
      `  Sockets from the API to Temporal, as the operating system lists them: at most ${most} in ${samples.length} samples`,
    );
    expectThat(samples.length >= 3, 'No sample was taken during the reads: nothing was counted');
    expectThat(most >= 1, `No socket of process ${pid} leads to port ${temporalPort}: nothing was counted`);
    expectThat(most <= mostSockets, `The API held ${most} sockets to Temporal, more than ${mostSockets}`);
    expectThat(errors.length === 0, `${errors.length} of ${reads} reads failed, first: ${errors[0]}`);
    return `${reads} reads at once over ${most} ${most === 1 ? 'connection' : 'connections'}, none failed`;
  },
};
