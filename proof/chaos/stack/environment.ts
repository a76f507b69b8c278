/**
 * The waits are 0.5, 1, 2, 4 and 4 s. Jitter lengthens the first three by up to a fifth. All waits are short, so that a
 * run of minutes has many attempts. Even shorter waits would save little, because the server's timers take about 1 s.
 */
const waits = { BASE_DELAY: '0.5', BACKOFF_COEFFICIENT: '2', MAX_DELAY: '4', MAX_ATTEMPTS: '6', JITTER: '0.2' };
const limits = { HEARTBEAT_TIMEOUT: '2', JOB_TIMEOUT: '10', WORKER_CONCURRENCY: '10', SHUTDOWN_GRACE: '3' };

/** The variables of every process of the stack. */
export const system = { PATH: process.env.PATH, HOME: process.env.HOME };

type Options = { dataDir: string; temporal: number; upstream: number };

/** Returns the environment of the APIs and workers. `temporal` and `upstream` are ports. */
export const toEnvironment = ({ dataDir, temporal, upstream }: Options): NodeJS.ProcessEnv => ({
  ...system,
  ...waits,
  ...limits,
  ENGINE: process.env.ENGINE,
  LOG_LEVEL: 'info',
  API_BASE_URL: `http://127.0.0.1:${upstream}`,
  TEMPORAL_ADDRESS: `127.0.0.1:${temporal}`,
  DATA_DIR: dataDir,
});
