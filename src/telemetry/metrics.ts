import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Creates the metrics of API and worker: heap, RSS, CPU, event loop lag, garbage collection, dropped log lines. */
function createProcessMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    registers,
    droppedLogLines: new Counter({
      name: 'holdfast_log_lines_dropped_total',
      help: 'Lines of the log that were dropped because the reader of stdout was too slow',
      registers,
    }),
  };
}

/**
 * Creates the metrics of the API. The `outcome` of a submission is `accepted`, `replayed`, `refused` (nothing was
 * started) or `unknown` (something may have been started).
 */
export function createApiMetrics() {
  const { registers, ...common } = createProcessMetrics();
  return {
    ...common,
    submissions: new Counter({
      name: 'holdfast_submissions_total',
      help: 'Submissions by task and outcome',
      labelNames: ['task', 'outcome'] as const,
      registers,
    }),
    requestDuration: new Histogram({
      name: 'holdfast_http_request_duration_seconds',
      help: 'Time to answer a request',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    openEventStreams: new Gauge({
      name: 'holdfast_open_event_streams',
      help: 'Clients following a task at the moment',
      registers,
    }),
  };
}

export type ApiMetrics = ReturnType<typeof createApiMetrics>;

/** Creates the metrics of a worker: free places, attempts by outcome and failure type, and how long they took. */
export function createWorkerMetrics(readFreePlaces: () => number) {
  const { registers, ...common } = createProcessMetrics();
  return {
    ...common,
    freePlaces: new Gauge({
      name: 'holdfast_free_places',
      help: 'Calls that slices of batches could begin at the moment',
      registers,
      collect() {
        this.set(readFreePlaces());
      },
    }),
    attempts: new Counter({
      name: 'holdfast_attempts_total',
      help: 'Attempts by task, outcome and failure type',
      labelNames: ['task', 'outcome', 'failure_type'] as const,
      registers,
    }),
    attemptDuration: new Histogram({
      name: 'holdfast_attempt_duration_seconds',
      help: 'Time one attempt took on the worker',
      labelNames: ['task', 'outcome'] as const,
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    }),
  };
}
