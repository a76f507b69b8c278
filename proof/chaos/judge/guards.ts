import { type FaultKind, faultKinds } from '../types.ts';
import type { Case } from './join.ts';
import type { Guard } from './result.ts';

/** Of all submissions, at least this share must have been accepted. */
const acceptedShare = 0.9;
/** Of the planned faults of each kind, at least this share must have had its effect. */
const verifiedShare = 0.6;

const kills: FaultKind[] = ['kill-worker', 'kill-api', 'kill-temporal'];

export const toVerifiedKills = ({ faults }: Pick<Case, 'faults'>) =>
  faults.filter(({ kind, verified }) => verified && kills.includes(kind)).length;

/**
 * Returns the conditions that a run must meet to pass, besides the invariants. A run in which too little happened does
 * not meet them. `checked` has the number of cases of each invariant, by name.
 */
export function toGuards(proof: Case, checked: Record<string, number>): Guard[] {
  const { submissions, accepted, planned, faults } = proof;
  const keys = new Set([...accepted.values()].map(({ key }) => key));
  const taken = submissions.filter(({ key }) => keys.has(key)).length;
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
      holds: submissions.length > 0 && taken >= submissions.length * acceptedShare,
      detail: `${taken} of ${submissions.length}`,
    },
    {
      title: `At least ${verifiedShare * 100} % of the planned faults of each kind, and at least one, had their effect`,
      holds: short.length === 0,
      detail:
        short.length === 0
          ? `${perKind.length} kinds, ${faults.filter(({ verified }) => verified).length} of ${planned.length} faults`
          : short.map(({ kind, seen, wanted }) => `${kind} ${seen} of ${wanted}`).join(', '),
    },
    {
      title: 'Every invariant had cases to examine',
      holds: idle.length === 0,
      detail: idle.length === 0 ? `${exercised.length} of ${exercised.length}` : `nothing for ${idle.join(', ')}`,
    },
  ];
}
