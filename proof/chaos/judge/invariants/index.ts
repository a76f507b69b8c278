import { attemptsBounded, cancelStopsCalls, extraCallsExplained, failedForAReason, ownResult } from './calls.ts';
import { acceptedNeverLost, noPhantom, oneTaskPerKey, readYourWrite, unknownConverges } from './identity.ts';
import type { Invariant } from './invariant.ts';
import { cleanProcesses } from './processes.ts';
import { batchCounts, endNeverChanges, forwardOnly, sameEndInTemporal } from './states.ts';
import { endedInTime, gapsFollowPolicy, recovery } from './timing.ts';

/** All invariants, in the order of the report. */
export const invariants: Invariant[] = [
  acceptedNeverLost,
  noPhantom,
  oneTaskPerKey,
  unknownConverges,
  readYourWrite,
  forwardOnly,
  endNeverChanges,
  sameEndInTemporal,
  ownResult,
  failedForAReason,
  batchCounts,
  attemptsBounded,
  gapsFollowPolicy,
  extraCallsExplained,
  cancelStopsCalls,
  recovery,
  endedInTime,
  cleanProcesses,
];
