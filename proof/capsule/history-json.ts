import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** Names of machines and paths on them have no part in a replay. */
const withoutMachine = (key: string, value: unknown) => (['identity', 'stackTrace'].includes(key) ? undefined : value);

/** A history as plain JSON that `Worker.runReplayHistory` takes, without what names a machine. */
export const toHistoryJson = (history: Parameters<typeof historyToJSON>[0]): unknown =>
  JSON.parse(historyToJSON(history), withoutMachine);
