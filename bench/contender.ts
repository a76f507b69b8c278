/** The total seconds of a set of submissions, and the latency of each from the call to the acceptance. */
export type Submissions = { seconds: number; latenciesMs: number[] };

/**
 * One system under comparison. It starts once and is measured in every round, in turn with the others. Between its
 * rounds its worker is off, because polling would take CPU from the others. Every task is one GET of the same
 * upstream, under the same retry settings, ten at once.
 */
export type Contender = {
  /** Its row in the table. */
  name: string;
  /** Where an accepted task is stored, and what that survives. */
  storage: string;
  /** The versions of the running software: `pg-boss 11.1.0`, `PostgreSQL 15.14`. */
  versions: string[];
  /**
   * Submits `count` tasks as its users would, `atOnce` calls at a time (a batch interface: one call), and resolves
   * when all are accepted.
   */
  submit(count: number, atOnce: number): Promise<Submissions>;
  /** Returns how many tasks have completed since the start, according to its own store. */
  completed(): Promise<number>;
  /** Stop and start its worker, for rounds that measure submissions alone. */
  pauseWorker(): Promise<void>;
  resumeWorker(): Promise<void>;
  /** Submissions while the worker is off go to a queue without a worker, so that no backlog is left. */
  leavesNoBacklog?: true;
  /** Returns its processes, including its server, for CPU seconds and memory. */
  pids(): number[];
  /** Ends its processes and removes its files. */
  stop(): Promise<void>;
};

/** What every contender receives. */
export type Scene = {
  /** The URL of the joke API: a task is GET {upstreamUrl}/jokes/random. */
  upstreamUrl: string;
  /** The directory of this run, for databases and logs. */
  directory: string;
  say: (line: string) => void;
  signal: AbortSignal;
};

/** Starts a contender, or returns why this machine cannot: the run then prints that it was skipped. */
export type StartContender = (scene: Scene) => Promise<Contender | { skipped: string }>;
