import type { TaskName } from '../../tasks.ts';
import type { ClosedStatus } from '../engines/task-state.ts';

/** Which tasks to list: open ones, or those that ended in one of these ways. The times bound the end of the delay. */
export type ListFilter = {
  idPrefix: string;
  names: readonly TaskName[];
  ends: readonly ClosedStatus[] | 'open';
  executesAfter?: Date;
  executesBefore?: Date;
};

const workflowEnds = {
  completed: ['Completed'],
  failed: ['Failed', 'Terminated', 'TimedOut'],
  cancelled: ['Canceled'],
};
/** In lists of both kinds, Temporal shows every standalone activity that did not complete as failed. */
const activityEnds = { completed: ['Completed'], failed: ['Failed'], cancelled: ['Failed'] };

/** Temporal's list of workflows shows standalone activities only if a filter names this division. */
const activityDivision = '3332429922';

const isOneOf = (field: string, values: readonly string[]) =>
  `${field} IN (${[...new Set(values)].map((value) => `'${value}'`).join(', ')})`;

/**
 * Returns the list filter for Temporal. It finds workflows and standalone activities. It uses only fields that every
 * Temporal server indexes, so no search attribute has to be registered.
 */
export function toListQuery({ idPrefix, names, ends, executesAfter, executesBefore }: ListFilter): string {
  const ended = (statuses: Record<ClosedStatus, string[]>) =>
    ends === 'open'
      ? "ExecutionStatus = 'Running'"
      : isOneOf(
          'ExecutionStatus',
          ends.flatMap((end) => statuses[end]),
        );
  const workflows = ['TemporalNamespaceDivision IS NULL', isOneOf('WorkflowType', names), ended(workflowEnds)];
  // The list has no type of an activity, but the id has the task's name.
  const ids = names.map((name) => `WorkflowId STARTS_WITH '${idPrefix}${name}_activity_'`).join(' OR ');
  const activities = [`TemporalNamespaceDivision = '${activityDivision}'`, `(${ids})`, ended(activityEnds)];
  return [
    `WorkflowId STARTS_WITH '${idPrefix}'`,
    `((${workflows.join(' AND ')}) OR (${activities.join(' AND ')}))`,
    ...(executesAfter ? [`ExecutionTime > '${executesAfter.toISOString()}'`] : []),
    ...(executesBefore ? [`ExecutionTime <= '${executesBefore.toISOString()}'`] : []),
  ].join(' AND ');
}
