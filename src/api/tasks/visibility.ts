import { z } from '@hono/zod-openapi';
import { taskNames } from '../../tasks.ts';
import type { ListFilter } from '../../temporal/lists/list-query.ts';
import { taskStatuses } from '../views/schemas.ts';
import { toOwnerPrefix } from '../views/task-id.ts';
import { maximumSkewMs } from '../views/task-summary.ts';

const limitFault = 'must be a whole number from 1 to 1000';
/** Returns the schema of the query parameter `limit`, the size of a page. */
export const toLimitQuery = (defaultSize: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,3}$/, limitFault)
    .transform(Number)
    .refine((value) => value <= 1_000, limitFault)
    .optional()
    .openapi({ type: 'integer', minimum: 1, maximum: 1_000, default: defaultSize });
export const cursorQuery = z.string().min(1).optional().describe('The `nextCursor` of the previous page');

export type Phase = 'open' | 'closed';
/**
 * Where a page begins. `phase` selects the open or the finished tasks. `token` is Temporal's page token, which is
 * empty for the first page of a phase.
 */
export const positionSchema = z.strictObject({ phase: z.enum(['open', 'closed']), token: z.base64() });
export type Position = z.output<typeof positionSchema>;

/** The size of a page if the request has no `limit`. */
export const defaultPageSize = 50;

export const listQuery = z.strictObject({
  name: z.enum(taskNames).optional(),
  status: z.enum([...taskStatuses, 'open']).optional(),
  limit: toLimitQuery(defaultPageSize),
  cursor: cursorQuery,
});
export type ListQuery = z.output<typeof listQuery>;

const closedStatuses = ['completed', 'failed', 'cancelled'] as const;
export const isClosedStatus = (status: string | undefined) => closedStatuses.find((closed) => closed === status);

/**
 * Returns the filter of Temporal's list. If a delayed task starts within 10 minutes of now, the filter does not decide
 * whether the task is scheduled.
 */
export function toListFilter(owner: string, phase: Phase, { name, status }: ListQuery): ListFilter {
  const closed = isClosedStatus(status);
  const isStarted = phase === 'open' && status !== undefined && status !== 'scheduled' && status !== 'cancelling';
  return {
    idPrefix: toOwnerPrefix(owner),
    names: name ? [name] : taskNames,
    ends: phase === 'open' ? 'open' : closed ? [closed] : closedStatuses,
    ...(status === 'scheduled' && { executesAfter: new Date(Date.now() - maximumSkewMs) }),
    ...(isStarted && { executesBefore: new Date(Date.now() + maximumSkewMs) }),
  };
}
