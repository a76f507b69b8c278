import { readFileSync } from 'node:fs';
import { inject } from 'vitest';

/** Returns the workflow code of a build in which `from` is `to`. `from` is text of the bundle, not of the source. */
export function toOtherBuild(from: string, to: string) {
  const code = readFileSync(inject('workflowBundle'), 'utf8');
  if (!code.includes(from)) throw new Error(`The workflow bundle does not contain "${from}"`);
  return { code: code.replaceAll(from, to) };
}

/** A build whose limit of items in flight is 100, and which schedules another activity than the history of a task has. */
export const toUnfittingBuild = () => {
  const { code } = toOtherBuild('formerMaximumInFlight = 400', 'formerMaximumInFlight = 100');
  const call = /await activities\[[^\]]*\.workflowInfo\)\(\)\.workflowType\]/;
  if (!call.test(code)) throw new Error('The workflow bundle does not contain the call of the activity');
  return { code: code.replace(call, "await activities['another']") };
};
