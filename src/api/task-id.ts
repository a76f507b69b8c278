import { randomUUID } from 'node:crypto';
import { sha256 } from '../api-keys.ts';
import { type TaskName, taskNames } from '../tasks.ts';
import { toNoTaskProblem } from './problem.ts';

/** What stands before every id of this owner's: 64 bits of a hash, for ids are never encrypted and names may be telling. */
export const toOwnerPrefix = (owner: string) => `${sha256(owner).toString('hex').slice(0, 16)}_`;

/** The id of a new task, which is also its workflow id: `{ownerHash}_{task}_{uuid}`, with an idempotency key its hash. */
export const createTaskId = (owner: string, name: TaskName, idempotencyKey?: string) =>
  `${toOwnerPrefix(owner)}${name}_${idempotencyKey === undefined ? randomUUID() : sha256(idempotencyKey).toString('hex')}`;

/** The task name in an id of this owner's; undefined for any other id, also another owner's. */
export function toTaskName(owner: string, id: string): TaskName | undefined {
  if (!id.startsWith(toOwnerPrefix(owner))) return undefined;
  const [, name, key] = id.split('_', 3);
  return taskNames.find(
    (known) => known === name && /^[A-Za-z0-9-]{1,64}$/.test(key ?? '') && id.split('_').length === 3,
  );
}

/** @throws {Problem} `not-found` for an id that is none of this owner's. */
export function requireTaskName(owner: string, id: string): TaskName {
  const name = toTaskName(owner, id);
  if (!name) throw toNoTaskProblem();
  return name;
}
