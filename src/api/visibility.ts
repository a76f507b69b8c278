import { z } from '@hono/zod-openapi';
import { taskNames } from '../tasks.ts';
import type { Phase } from './cursor.ts';
import { taskStatuses } from './schemas.ts';
import { toOwnerPrefix } from './task-id.ts';

const limit = 'must be a whole number from 1 to 1000';
export const listQuery = z.strictObject({
  name: z.enum(taskNames).optional(),
  status: z.enum([...taskStatuses, 'open']).optional(),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, limit)
    .transform(Number)
    .refine((value) => value <= 1_000, limit)
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: 1_000, default: 50 }),
  cursor: z.string().min(1).optional().describe('`nextCursor` of the page before'),
});
export type ListQuery = z.output<typeof listQuery>;

const closedNames = {
  completed: ['Completed'],
  failed: ['Failed', 'Terminated', 'TimedOut'],
  cancelled: ['Canceled'],
} as const;
export const isClosedStatus = (status: string | undefined): status is keyof typeof closedNames =>
  status !== undefined && status in closedNames;

/** Only fields that every Temporal server indexes by itself: no search attribute has to be registered. */
export function toVisibilityQuery(owner: string, phase: Phase, { name, status }: ListQuery): string {
  const types = (name ? [name] : taskNames).map((type) => `'${type}'`).join(', ');
  const closed = (isClosedStatus(status) ? closedNames[status] : Object.values(closedNames).flat())
    .map((s) => `'${s}'`)
    .join(', ');
  const now = new Date().toISOString();
  return [
    `WorkflowId STARTS_WITH '${toOwnerPrefix(owner)}'`,
    `WorkflowType IN (${types})`,
    phase === 'open' ? "ExecutionStatus = 'Running'" : `ExecutionStatus IN (${closed})`,
    ...(status === 'scheduled' ? [`ExecutionTime > '${now}'`] : []),
    ...(phase === 'open' && status !== undefined && status !== 'scheduled' && status !== 'cancelling'
      ? [`ExecutionTime <= '${now}'`]
      : []),
  ].join(' AND ');
}
