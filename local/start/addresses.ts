import { toUrl } from '../../cli/client/target.ts';
import type { Config } from '../../src/config/config.ts';
import type { WantedPort } from './ports.ts';
import type { Probe } from './readiness.ts';

type Where = { config: Config; withJokeApi: boolean };

/** Returns the URL at which children reach the local joke API. */
export const toJokeApiUrl = ({ jokeApiPort }: Config) => toUrl('127.0.0.1', jokeApiPort);

/** Returns every fixed port that a child will listen on, with the variable that sets it. */
export function toWantedPorts({ config, withJokeApi }: Where): WantedPort[] {
  const { host, port, embedded, jokeApiPort, workerMetrics } = config;
  const loopback = '127.0.0.1';
  return [
    { variable: 'PORT', port, host },
    ...(embedded
      ? [
          { variable: 'EMBEDDED_TEMPORAL_PORT', port: embedded.port, host: loopback },
          { variable: 'EMBEDDED_TEMPORAL_UI_PORT', port: embedded.uiPort, host: loopback },
        ]
      : []),
    ...(withJokeApi ? [{ variable: 'JOKE_API_PORT', port: jokeApiPort, host: loopback }] : []),
    ...(workerMetrics.port ? [{ variable: 'WORKER_METRICS_ADDRESS', ...workerMetrics }] : []),
  ];
}

/** Returns the URLs to probe. When all of them answer 200, everything is ready. */
export const toProbes = ({ config, withJokeApi }: Where): Probe[] => [
  { name: 'API', url: `${toUrl(config.host, config.port)}/ready` },
  ...(withJokeApi ? [{ name: 'joke API', url: `${toJokeApiUrl(config)}/admin/health` }] : []),
];

/** Returns the text that `npm start` prints when it is ready: all URLs, and a first command to try. */
export function toAddresses({ config, withJokeApi }: Where): string {
  const url = toUrl(config.host, config.port);
  const authorization = config.apiKeys.length > 0 ? ` -H 'Authorization: Bearer <a secret of API_KEYS>'` : '';
  return [
    '',
    'Holdfast is ready.',
    `  API       ${url}`,
    `  OpenAPI   ${url}/openapi.json`,
    `  Metrics   ${url}/metrics`,
    ...(config.embedded ? [`  Web UI    ${toUrl('127.0.0.1', config.embedded.uiPort)}`] : []),
    ...(withJokeApi ? [`  Joke API  ${toJokeApiUrl(config)}`] : []),
    '',
    `Try: curl -X POST ${url}/tasks/fetch-joke${authorization}`,
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}
