import { groupBy, isFinal, reads, submits } from '../join.ts';
import { combine, examine, type Invariant, toCases } from './invariant.ts';

export const acceptedNeverLost: Invariant = {
  name: 'accepted-never-lost',
  title: 'Everything accepted exists, and its end can be read',
  check: ({ accepted, works, executionsById }) => {
    const whole = examine(accepted, (_, id) =>
      executionsById.has(id) ? undefined : 'it was accepted, but Temporal does not know it',
    );
    const ends = examine(works, ({ final }) => {
      if (!final) return 'no read of this task was answered';
      return isFinal(final.state) ? undefined : `its last state is ${final.state}`;
    });
    return combine(whole, ends);
  },
};

export const noPhantom: Invariant = {
  name: 'no-phantom',
  title: 'Only submitted tasks run and call the upstream',
  check: ({ accepted, works, executions, callsByKey }) => {
    const runs = examine(toCases(executions), ({ id, type }) =>
      accepted.has(id.replace(/~\d+$/, '')) ? undefined : `a ${type} runs under an id that no client received`,
    );
    const calls = examine(callsByKey, (_, key) =>
      works.has(key) ? undefined : 'the upstream was called for it, but it is not a task',
    );
    return combine(runs, calls);
  },
};

export const oneTaskPerKey: Invariant = {
  name: 'one-task-per-key',
  title: 'A key stands for one task at both APIs, however often it is sent, and another body under it is refused',
  check: ({ ended, executionsById }) => {
    const byKey = groupBy(
      ended.filter(({ end }) => end.action === 'conflict' || submits.includes(end.action)),
      ({ end }) => end.key,
    );
    const keys = examine(byKey, (calls) => {
      const taken = calls.filter(({ end }) => end.type === 'ok' && end.action !== 'conflict');
      const ids = [...new Set(taken.map(({ end }) => end.id))];
      if (ids.length > 1) return `it stands for ${ids.length} tasks: ${ids.join(', ')}`;
      const fresh = taken.filter(({ end }) => !end.isReplay).length;
      if (fresh > 1) return `${fresh} answers claim to be the first`;
      if (calls.some(({ end }) => end.action === 'conflict' && end.type === 'ok')) return 'another body was accepted';
      const refused = calls.find(
        ({ end }) => end.action !== 'conflict' && [400, 404, 409, 422].includes(end.status ?? 0),
      );
      return refused && `the submission itself was refused with ${refused.end.status}`;
    });
    const runs = examine(executionsById, (all) =>
      all.length === 1 ? undefined : `Temporal has ${all.length} runs of it`,
    );
    return combine(keys, runs);
  },
};

export const unknownConverges: Invariant = {
  name: 'unknown-converges',
  title: 'A submission of unknown outcome becomes one accepted task when it is sent again',
  check: ({ ended }) => {
    const byKey = groupBy(
      ended.filter(({ end }) => submits.includes(end.action)),
      ({ end }) => end.key,
    );
    return examine(
      [...byKey].filter(([, calls]) => calls.some(({ end }) => end.type === 'info')),
      (calls) =>
        calls.some(({ end }) => end.type === 'ok') ? undefined : `none of its ${calls.length} submissions was accepted`,
    );
  },
};

export const readYourWrite: Invariant = {
  name: 'read-your-write',
  title: 'An accepted task can be read at either API from that moment on',
  check: ({ ended, accepted }) => {
    const calls = ended.map((call) => [call.end.id ?? '', call] as const);
    const ofAccepted = calls.filter(([id, { end }]) => reads.includes(end.action) && accepted.has(id));
    return examine(ofAccepted, ({ end, invokedAt }, id) => {
      const sinceMs = Math.round(invokedAt - (accepted.get(id)?.at ?? 0));
      return end.status === 404 ? `a ${end.action} ${sinceMs} ms after its acceptance was a 404` : undefined;
    });
  },
};
