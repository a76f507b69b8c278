import { type FaultKind, faultKinds } from '../types.ts';
import type { Case } from './join.ts';
import type { Guard } from './result.ts';

/** The least share of submissions that must have been accepted, and of each kind's faults that must have had their effect. */
const acceptedShare = 0.9;
const verifiedShare = 0.6;

const kills: FaultKind[] = ['kill-worker', 'kill-api', 'kill-temporal'];

export const toVerifiedKills = ({ faults }: Pick<Case, 'faults'>) =>
  faults.filter(({ kind, verified }) => verified && kills.includes(kind)).length;

/** Without these a run without violations proves nothing: nothing may have happened. `checked` is by invariant. */
export function toGuards(proof: Case, checked: Record<string, number>): Guard[] {
  const { stories, accepted, planned, faults } = proof;
  const keys = new Set([...accepted.values()].map(({ key }) => key));
  const taken = stories.filter(({ key }) => keys.has(key)).length;
  const perKind = faultKinds
    .map((kind) => ({
      kind,
      wanted: planned.filter((one) => one.kind === kind).length,
      seen: faults.filter((one) => one.kind === kind && one.verified).length,
    }))
    .filter(({ wanted }) => wanted > 0);
  const short = perKind.filter(({ wanted, seen }) => seen < Math.floor(wanted * verifiedShare) || seen === 0);
  const exercised = Object.entries(checked).filter(
    ([name]) => name !== 'recovery' || planned.some(({ kind }) => kind === 'kill-worker'),
  );
  const idle = exercised.filter(([, count]) => count === 0).map(([name]) => name);
  return [
    {
      title: `At least ${acceptedShare * 100} % of the submissions were accepted`,
      holds: stories.length > 0 && taken >= stories.length * acceptedShare,
      detail: `${taken} of ${stories.length}`,
    },
    {
      title: `Of each kind of fault at least ${verifiedShare * 100} % of those planned were seen to have their effect, and one at least`,
      holds: short.length === 0,
      detail:
        short.length === 0
          ? `${perKind.length} kinds, ${faults.filter(({ verified }) => verified).length} of ${planned.length} faults`
          : short.map(({ kind, seen, wanted }) => `${kind} ${seen} of ${wanted}`).join(', '),
    },
    {
      title: 'Every invariant had something to look at',
      holds: idle.length === 0,
      detail: idle.length === 0 ? `${exercised.length} of ${exercised.length}` : `nothing for ${idle.join(', ')}`,
    },
  ];
}
