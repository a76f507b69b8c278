/** The total seconds of a set of submissions, and the latency of each from the call to the acceptance. */
export type Submissions = { seconds: number; latenciesMs: number[] };

/**
 * One system under comparison. It is started once, and every round measures all contenders in turn. While another
 * contender is measured, this one has nothing to process. Every task is one GET of the same upstream. All systems allow
 * five attempts and run ten tasks at once.
 */
export type Contender = {
  /** The name of its row in the table. */
  name: string;
  /** Where an accepted task is stored, and which failure it survives there. */
  storage: string;
  /** The versions of the running software: `pg-boss 11.1.0`, `PostgreSQL 15.14`. */
  versions: string[];
  /**
   * Submits `count` tasks in the way its users would, with `atOnce` calls open at a time. A contender for batches
   * submits all tasks in one call. Resolves when all tasks are accepted.
   */
  submit(count: number, atOnce: number): Promise<Submissions>;
  /**
   * Executes `count` tasks, one after the other. Returns the milliseconds of each, from the submission until the client
   * knows that the task has completed. Missing for batches.
   */
  execute?(count: number): Promise<number[]>;
  /** Returns how many tasks have completed since the start, according to its own store. */
  completed(): Promise<number>;
  /** Stops the worker, or makes later submissions go to a queue without a worker (`leavesNoBacklog`). */
  pauseWorker(): Promise<void>;
  /** Reverses `pauseWorker`. */
  resumeWorker(): Promise<void>;
  /** True if submissions during a pause go to a queue without a worker. The resumed worker then has no backlog. */
  leavesNoBacklog?: true;
  /** Returns the pids of its processes, including those of its store. Their CPU seconds and memory are measured. */
  pids(): number[];
  /** Ends its processes and removes its files. */
  stop(): Promise<void>;
};

/** What every contender is started with. */
export type Scene = {
  /** The base URL of the joke API. A task is `GET {upstreamUrl}/jokes/random`. */
  upstreamUrl: string;
  /** The directory of this run, for databases and logs. */
  directory: string;
  say: (line: string) => void;
  signal: AbortSignal;
};

/** Starts a contender. If this machine cannot run it, returns the reason, which the run prints. */
export type StartContender = (scene: Scene) => Promise<Contender | { skipped: string }>;
