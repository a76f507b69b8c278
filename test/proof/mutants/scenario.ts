import type { Mutation } from '../../../proof/mutate.ts';

const policy = 'src/policy.ts';
const routes = 'src/api/tasks/submit.ts';
const route = `app.post(\`/tasks/\${name}\`, ...submission(name), async (c) => {`;
const everyTenth = (what: string) => `let received = 0; ${route} if (++received % 10 === 0) ${what};`;
const finals = '[...new Set([...finalFailureTypes, ';

/** Scenario number `scenario` must fail for the reason `because`. */
type ScenarioMutant = Mutation & { name: string; scenario: number; because: string | RegExp };

export const scenarioMutants: ScenarioMutant[] = [
  {
    name: 'the coefficient ignored',
    file: policy,
    from: 'backoffCoefficient: policy.backoffCoefficient,',
    to: 'backoffCoefficient: 1,',
    scenario: 1,
    because: /The wait after attempt \d was \d\.\d\d s, not \d s/,
  },
  {
    name: 'every failure of the upstream is final',
    file: policy,
    from: finals,
    to: `${finals}...retryableFailureTypes, `,
    scenario: 2,
    because: 'should be retrying with attempt 3, but it ended as failed on attempt 1/5 (UpstreamUnavailable: HTTP 503)',
  },
  {
    name: 'an unreachable upstream is final',
    file: policy,
    from: finals,
    to: `${finals}'UpstreamUnreachable', `,
    scenario: 2,
    because: 'should be retrying with attempt 3, but it ended as failed on attempt 1/5 (UpstreamUnreachable',
  },
  {
    name: 'no deadline and no start-to-close timeout',
    file: policy,
    from: 'startToCloseTimeout: policy.startToCloseTimeoutMs,',
    to: 'startToCloseTimeout: 86_400_000,',
    scenario: 3,
    because: /was not retrying \(last seen: running on attempt 1\/5\) within \d+/,
  },
  {
    name: 'no deadline of the attempt itself',
    file: 'src/activities/get-json.ts',
    from: 'withDeadline(toDeadlineMs(activityInfo().startToCloseTimeoutMs), async (signal)',
    to: 'withDeadline(86_400_000, async (signal)',
    scenario: 3,
    because: 'TemporalTimeout:StartToClose',
  },
  {
    name: 'no heartbeat timeout',
    file: policy,
    from: 'heartbeatTimeout: policy.heartbeatTimeoutMs,',
    to: '',
    scenario: 4,
    because: /Only 0 of 10 tasks called the upstream again within \d+/,
  },
  {
    name: 'no heartbeats',
    file: 'src/activities/heartbeat.ts',
    from: 'heartbeat();\n',
    to: '\n',
    scenario: 4,
    because: 'do heartbeats arrive?',
  },
  {
    name: 'a server that keeps nothing on disk',
    file: 'local/temporal/embedded-temporal.ts',
    from: 'const { directory, port } = where;',
    // The files are there, but the server does not use them.
    to: `const { directory, port } = where;
      where.inMemory = true;
      for (const name of ['temporal.db', 'temporal.db-wal'])
        process.getBuiltinModule('node:fs').writeFileSync(directory + '/' + name, '-');`,
    scenario: 4,
    because: /Only 0 of 10 tasks called the upstream again within \d+/,
  },
  {
    name: 'every tenth submission refused',
    file: routes,
    from: route,
    to: everyTenth('return c.notFound()'),
    scenario: 5,
    because: '10 of 100 submissions were not accepted, first: POST /tasks/fetch-joke: 404',
  },
  {
    name: 'every tenth submission accepted and swallowed',
    file: 'src/temporal/engines/start-workflow.ts',
    from: 'client.workflow.start(type, {',
    to: `(globalThis.seen = (globalThis.seen ?? 0) + 1) % 10 === 0 ? Promise.resolve() : client.workflow.start(type, {`,
    scenario: 5,
    because: /GET \/tasks\/\S+: 404/,
  },
  {
    name: 'no cap',
    file: policy,
    from: 'maximumInterval: policy.maximumIntervalMs,',
    to: 'maximumInterval: 86_400_000,',
    scenario: 6,
    because: /The wait after attempt 6 was 64\.\d\d s, not 60 s/,
  },
];
