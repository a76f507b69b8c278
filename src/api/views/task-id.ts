import { randomUUID } from 'node:crypto';
import { sha256 } from '../../config/api-keys.ts';
import { type TaskName, taskNames } from '../../tasks.ts';
import { toNoBatchProblem, toNoTaskProblem } from '../problems/problem.ts';

/** What stands before every id of this owner's: 64 bits of a hash, for ids are never encrypted and names may be telling. */
export const toOwnerPrefix = (owner: string) => `${sha256(owner).toString('hex').slice(0, 16)}_`;

/** A UUID or a hash. */
const keyPattern = /^[A-Za-z0-9-]{1,64}$/;

/** The id of a new task, which is also its workflow id: `{ownerHash}_{task}_{uuid}`, with an idempotency key its hash. */
export const createTaskId = (owner: string, name: TaskName | `${TaskName}_batch`, idempotencyKey?: string) =>
  `${toOwnerPrefix(owner)}${name}_${idempotencyKey === undefined ? randomUUID() : sha256(idempotencyKey).toString('hex')}`;

/** The task name in an id of this owner's; undefined for any other id, also another owner's. */
export function toTaskName(owner: string, id: string): TaskName | undefined {
  if (!id.startsWith(toOwnerPrefix(owner))) return undefined;
  const [, name, key] = id.split('_', 3);
  return taskNames.find((known) => known === name && keyPattern.test(key ?? '') && id.split('_').length === 3);
}

/** The id of a new batch, and of its workflow: `{ownerHash}_{task}_batch_{uuid}`, one part more than a task's. Its chunks add `~{n}`. */
export const createBatchId = (owner: string, name: TaskName, idempotencyKey?: string) =>
  createTaskId(owner, `${name}_batch`, idempotencyKey);

/** The task that a batch of this owner's runs. @throws {Problem} `not-found` for an id that is none of this owner's batches'. */
export function requireBatchName(owner: string, id: string): TaskName {
  const [ownerHash, name, batch, key, ...more] = id.split('_');
  const isBatch = batch === 'batch' && keyPattern.test(key ?? '') && more.length === 0;
  const known = taskNames.find((one) => one === name);
  if (`${ownerHash}_` !== toOwnerPrefix(owner) || !isBatch || !known) throw toNoBatchProblem();
  return known;
}

/** @throws {Problem} `not-found` for an id that is none of this owner's. */
export function requireTaskName(owner: string, id: string): TaskName {
  const name = toTaskName(owner, id);
  if (!name) throw toNoTaskProblem();
  return name;
}
