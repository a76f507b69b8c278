import { Pool } from 'undici';
import { createCommand, runCommand } from '../cli/command.ts';
import { toPercentiles } from '../cli/measurement.ts';
import { withStack } from '../local/stack/with-stack.ts';
import { type Check, expectThat } from '../proof/checks/check.ts';
import { runSuite } from '../proof/checks/run-suite.ts';
import { gatherCrowd } from '../proof/edge/crowd.ts';

const crowd = { idle: 1_000, slow: 200 };
const connections = crowd.idle + crowd.slow;
/** Quiet and crowded turns alternate, so that a slow moment of the machine falls on both. */
const turns = 4;
const mayGrowBy = 3;

type Call = { title: string; method: 'GET' | 'POST'; path: string; status: number; callsATurn: number };
/** The submission's task is far in the future: no worker's work is measured with it. */
const calls: Call[] = [
  { title: 'GET /health', method: 'GET', path: '/health', status: 200, callsATurn: 500 },
  { title: 'A submission', method: 'POST', path: '/tasks/fetch-joke?delay=86400', status: 202, callsATurn: 150 },
];

/** A good client, one call after the other: each right answer's time in milliseconds. */
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

/** Percentiles know whole numbers only: microseconds, then. */
const toP99 = (times: number[]) => toPercentiles(times.map((ms) => ms * 1_000)).p99 / 1_000;

// Seen to fail, with 64 ×, when the API took 3 ms for every piece that a connection sent.
const toCheck = (call: Call): Check<string> => ({
  title: `${call.title} beside ${crowd.idle} idle and ${crowd.slow} slow connections`,
  async run(url, { say, signal }) {
    const pool = new Pool(url, { connections: 1 });
    const quiet: number[] = [];
    const crowded: number[] = [];
    let fewest = Number.POSITIVE_INFINITY;
    try {
      // The first calls warm up whatever compiles and connects.
      await timeCalls(pool, call, signal);
      for (let turn = 0; turn < turns; turn += 1) {
        quiet.push(...(await timeCalls(pool, call, signal)));
        const { count, disperse } = await gatherCrowd(url, crowd);
        try {
          crowded.push(...(await timeCalls(pool, call, signal)));
          fewest = Math.min(fewest, count());
        } finally {
          disperse();
        }
      }
    } finally {
      await pool.destroy();
    }
    const [before, beside] = [toP99(quiet), toP99(crowded)];
    const ratio = beside / before;
    say(`  p99 of ${quiet.length} calls alone: ${before.toFixed(2)} ms`);
    say(`  p99 of ${crowded.length} calls beside at least ${fewest} open connections: ${beside.toFixed(2)} ms`);
    say(`  ratio: ${ratio.toFixed(2)} (at most ${mayGrowBy})`);
    expectThat(
      fewest >= connections * 0.9,
      `Only ${fewest} of ${connections} connections were open: nothing was tested`,
    );
    expectThat(ratio <= mayGrowBy, `The crowd makes it ${ratio.toFixed(2)} × as slow, more than ${mayGrowBy} ×`);
    return `${ratio.toFixed(2)} × its p99 alone, with ${fewest} other connections open`;
  },
});

createCommand(
  'stress:edge',
  'Whether idle and slow connections slow a good client down, in a stack of its own.',
).parse();

await runCommand(async (signal) => {
  const say = (line: string) => console.log(line);
  return await withStack({ say, signal }, {}, async ({ url }) => {
    const { allPassed } = await runSuite(
      {
        title: 'EDGE STRESS TEST SUITE',
        part: 'STRESS TEST',
        noun: 'tests',
        allPassed: 'ALL TESTS PASSED! A crowd of idle and slow connections slows nobody down.',
        advice: 'The limits of connections stand in src/listen.ts and src/api/http/limits.ts.',
        checks: calls.map((call, index) => ({ number: index + 1, check: toCheck(call) })),
      },
      { context: url, say, signal },
    );
    return allPassed ? 0 : 1;
  });
});
