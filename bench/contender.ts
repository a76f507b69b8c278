/** Seconds of one submission each, from the call to the acceptance. */
export type Submissions = { seconds: number; latenciesMs: number[] };

/**
 * One system under comparison. It is started once and measured in every round, in turn with the others; between its
 * rounds its worker is off, for one that polls would take CPU from them. Every task is one GET of the same upstream,
 * under the same retry settings, ten at once.
 */
export type Contender = {
  /** Its row in the table. */
  name: string;
  /** Where a task lies when it is accepted, and what that survives. */
  storage: string;
  /** What runs, with versions read from what runs: `pg-boss 11.1.0`, `PostgreSQL 15.14`. */
  versions: string[];
  /**
   * Submits `count` tasks as its users would, `atOnce` calls at a time (a batch interface: one call), and resolves
   * when all are accepted.
   */
  submit(count: number, atOnce: number): Promise<Submissions>;
  /**
   * How many tasks have completed since it was started, as its own store says; the harness polls it until a round is
   * over.
   */
  completed(): Promise<number>;
  /** Turns its worker off and on, for rounds that measure submission alone. */
  pauseWorker(): Promise<void>;
  resumeWorker(): Promise<void>;
  /** What was submitted while the worker was off goes to nobody, and needs no working off. */
  leavesNoBacklog?: true;
  /** Its processes at this moment, server included, the harness itself not: for CPU seconds and resident memory. */
  pids(): number[];
  /** Ends its processes and removes its files. */
  stop(): Promise<void>;
};

/** What every contender gets. */
export type Scene = {
  /** The joke API: a task is GET {upstreamUrl}/jokes/random. */
  upstreamUrl: string;
  /** A directory of this run, for databases and logs. */
  directory: string;
  say: (line: string) => void;
  signal: AbortSignal;
};

/** Starts a contender, or says why this machine cannot: the run skips it loudly. */
export type StartContender = (scene: Scene) => Promise<Contender | { skipped: string }>;
