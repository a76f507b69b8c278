/** The faults of the embedded server's database: the messages of SQLite, and what we report. */
const faults = {
  full: {
    pattern: /database or disk is full|no space left on device/i,
    detail: 'The disk of the Temporal server is full, so no task can be accepted or run. Free space on that disk',
  },
  unreadable: {
    pattern: /disk I\/O error/i,
    detail: 'The Temporal server cannot read or write its database (disk I/O error), so tasks cannot run',
  },
  malformed: {
    pattern: /database disk image is malformed|file is not a database/i,
    detail:
      'The database of the Temporal server is malformed, so tasks may not run. Restore it from a copy, or set another DATA_DIR',
  },
};

export type DatabaseFault = keyof typeof faults;
const names = Object.keys(faults) as DatabaseFault[];

/** Returns the fault that a message of the Temporal server names, or `undefined`. */
export const findDatabaseFault = (text: string) => names.find((name) => faults[name].pattern.test(text));

export const toFaultDetail = (fault: DatabaseFault) => faults[fault].detail;

/** The message that `npm start` sends to the API when the embedded server reports a fault of its database. */
export type FaultMessage = { databaseFault: DatabaseFault };

/** While a fault lasts, the server reports it often. A fault that was not reported for this long has passed. */
const reportedForMs = 60_000;

/** Keeps the latest fault that `npm start` has reported to this process. */
export function createReportedFault(now = () => performance.now()) {
  let latest: { fault: DatabaseFault; at: number } | undefined;
  return {
    /** Takes a message of the parent process. Ignores every message that is not a `FaultMessage`. */
    receive(message: unknown): void {
      const { databaseFault } = (message ?? {}) as Partial<FaultMessage>;
      const fault = names.find((name) => name === databaseFault);
      if (fault) latest = { fault, at: now() };
    },
    read: () => (latest && now() - latest.at < reportedForMs ? latest.fault : undefined),
  };
}

export type ReportedFault = ReturnType<typeof createReportedFault>;
