import { randomUUID } from 'node:crypto';
import { sha256 } from '../../config/api-keys.ts';
import { type EngineName, parseId, toId, toIdPrefix } from '../../contract.ts';
import { type TaskName, taskNames } from '../../tasks.ts';
import { toNoBatchProblem, toNoTaskProblem } from '../problems/problem.ts';

/** Returns the first 64 bits of the owner's SHA-256 hash, in hex. */
const toOwnerHash = (owner: string) => sha256(owner).toString('hex').slice(0, 16);

/** Returns the prefix of the ids of all tasks and batches of this owner. */
export const toOwnerPrefix = (owner: string) => toIdPrefix(toOwnerHash(owner));

const createKey = (idempotencyKey: string | undefined) =>
  idempotencyKey === undefined ? randomUUID() : sha256(idempotencyKey).toString('hex');

/** Returns the id of a new task, which is also its id in Temporal. The same idempotency key gives the same id. */
export const createTaskId = (owner: string, name: TaskName, idempotencyKey?: string, engine: EngineName = 'workflow') =>
  toId(toOwnerHash(owner), name, createKey(idempotencyKey), engine);

/** Returns the id of a new batch, which is also its workflow id. The same idempotency key gives the same id. */
export const createBatchId = (owner: string, name: TaskName, idempotencyKey?: string) =>
  toId(toOwnerHash(owner), name, createKey(idempotencyKey), 'batch');

/** Returns the task name in the id of one of this owner's tasks or batches; `undefined` for any other id. */
function toName(owner: string, id: string, kind: 'task' | 'batch'): TaskName | undefined {
  const parts = parseId(id);
  if (parts?.ownerHash !== toOwnerHash(owner) || (parts.kind === 'batch') !== (kind === 'batch')) return undefined;
  return taskNames.find((name) => name === parts.name);
}

/** Returns the task name in the id of one of this owner's tasks; `undefined` for any other id. */
export const toTaskName = (owner: string, id: string) => toName(owner, id, 'task');

/** Returns the task name in the id of one of this owner's tasks. @throws {Problem} `not-found` for any other id. */
export function requireTaskName(owner: string, id: string): TaskName {
  const name = toTaskName(owner, id);
  if (!name) throw toNoTaskProblem();
  return name;
}

/** Returns the task name in the id of one of this owner's batches. @throws {Problem} `not-found` for any other id. */
export function requireBatchName(owner: string, id: string): TaskName {
  const name = toName(owner, id, 'batch');
  if (!name) throw toNoBatchProblem();
  return name;
}
