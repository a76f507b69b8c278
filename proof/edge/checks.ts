import { Pool } from 'undici';
import { toPercentiles } from '../../cli/measurement.ts';
import { type Check, expectThat } from '../checks/check.ts';
import { openCrowd } from './crowd.ts';

const crowdSize = { idle: 1_000, slow: 200 };
const connections = crowdSize.idle + crowdSize.slow;
/** Turns without the crowd and turns with it alternate, so that a slow moment of the machine affects both kinds. */
const turns = 4;
const mostGrowth = 3;

type Call = { title: string; method: 'GET' | 'POST'; path: string; status: number; callsATurn: number };
/** The submitted tasks are delayed by a day, so that no worker runs them during the measurement. */
const calls: Call[] = [
  { title: 'GET /health', method: 'GET', path: '/health', status: 200, callsATurn: 500 },
  { title: 'A submission', method: 'POST', path: '/tasks/fetch-joke?delay=86400', status: 202, callsATurn: 150 },
];

/** Makes one call after the other. Returns how long each call took, in milliseconds. */
async function timeCalls(pool: Pool, { method, path, status, callsATurn }: Call, signal: AbortSignal) {
  const times: number[] = [];
  for (let count = 0; count < callsATurn; count += 1) {
    const started = performance.now();
    const answer = await pool.request({ method, path, signal });
    await answer.body.dump();
    times.push(performance.now() - started);
    expectThat(answer.statusCode === status, `${method} ${path} was answered ${answer.statusCode}, not ${status}`);
  }
  return times;
}

/**
 * Returns the 99th percentile of `times`, in milliseconds. Calculates in microseconds, because `toPercentiles` returns
 * whole numbers.
 */
const toP99 = (times: number[]) => toPercentiles(times.map((ms) => ms * 1_000)).p99 / 1_000;

// With an API that took 3 ms for every received chunk, the checks failed, as they should: calls beside the crowd were
// 64 times as slow as calls alone.
const toCheck = (call: Call): Check<string> => ({
  title: `${call.title} beside ${crowdSize.idle} idle and ${crowdSize.slow} slow connections`,
  async run(url, { say, signal }) {
    const pool = new Pool(url, { connections: 1 });
    const quiet: number[] = [];
    const crowded: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    try {
      // Warms up: the first calls compile code and open the connection.
      await timeCalls(pool, call, signal);
      for (let turn = 0; turn < turns; turn += 1) {
        quiet.push(...(await timeCalls(pool, call, signal)));
        const crowd = await openCrowd(url, crowdSize);
        try {
          crowded.push(...(await timeCalls(pool, call, signal)));
          fewest = Math.min(fewest, crowd.count());
        } finally {
          crowd.close();
        }
      }
    } finally {
      await pool.destroy();
    }
    const [before, beside] = [toP99(quiet), toP99(crowded)];
    const ratio = beside / before;
    say(`  p99 of ${quiet.length} calls alone: ${before.toFixed(2)} ms`);
    say(`  p99 of ${crowded.length} calls beside at least ${fewest} open connections: ${beside.toFixed(2)} ms`);
    say(`  ratio: ${ratio.toFixed(2)} (at most ${mostGrowth})`);
    expectThat(
      fewest >= connections * 0.9,
      `Only ${fewest} of ${connections} connections were open: nothing was tested`,
    );
    expectThat(ratio <= mostGrowth, `The crowd slows calls down ${ratio.toFixed(2)} ×, more than ${mostGrowth} ×`);
    return `${ratio.toFixed(2)} × its p99 alone, with ${fewest} other connections open`;
  },
});

/** They test whether idle and slow connections slow down a well-behaved client. Their context is the URL of the API. */
export const edgeChecks: Check<string>[] = calls.map(toCheck);
