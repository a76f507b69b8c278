import { readFileSync } from 'node:fs';
import { inject } from 'vitest';

/** Returns the workflow code of another build: its bundle has the text `to` where ours has `from`. */
export function toOtherBuild(from: string, to: string) {
  const code = readFileSync(inject('workflowBundle'), 'utf8');
  if (!code.includes(from)) throw new Error(`The workflow bundle does not contain "${from}"`);
  return { code: code.replaceAll(from, to) };
}

/** Returns the workflow code of a build with a limit of 100 items in flight and another activity for each task. */
export const toUnfittingBuild = () => {
  const { code } = toOtherBuild('formerMaximumInFlight = 400', 'formerMaximumInFlight = 100');
  const call = /await activities\[[^\]]*\.workflowInfo\)\(\)\.workflowType\]/;
  if (!call.test(code)) throw new Error('The workflow bundle does not contain the call of the activity');
  return { code: code.replace(call, "await activities['another']") };
};
