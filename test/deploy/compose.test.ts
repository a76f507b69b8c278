import { existsSync, readFileSync } from 'node:fs';
import { parse as parseEnv } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { databases, schemas } from '../../local/temporal-postgres/schema.ts';
import { type Environment, loadConfig } from '../../src/config/config.ts';

type Mount = { type: string; source: string; target: string; read_only: boolean };
type Service = {
  image: string;
  build?: string;
  command?: string[];
  init?: boolean;
  user?: string;
  privileged?: boolean;
  restart?: string;
  stop_grace_period?: string;
  environment: Record<string, string>;
  ports?: string[];
  volumes?: (string | Mount)[];
  deploy?: { replicas: number };
  mem_limit?: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[] };
};

const url = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(url(path), 'utf8');

const text = read('docker-compose.yml');
const { services, volumes } = parseYaml(text, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const named = (name: string): Service => services[name] ?? expect.fail(`no service ${name}`);
const api = named('api');
const worker = named('worker');
const all = Object.entries(services);
/** The services that do their work once and end. */
const jobs = ['temporal-schema', 'temporal-namespace'];
const isJob = (name: string) => jobs.includes(name);

// `.env.example` names exactly the variables that the configuration reads. Another test checks that.
const defaults = parseEnv(read('.env.example').replace(/^#(?=[A-Z_]+=)/gm, ''));
const known = Object.keys(defaults);

/** Replaces `${NAME:-default}`, `${NAME:+replacement}` and `${NAME:?message}` as Compose does. */
const interpolate = (template: string, environment: Environment) =>
  String(template).replace(/\$\{(\w+):([-+?])([^}]*)\}/g, (_, name, sign, rest) => {
    if (!environment[name] && sign === '?') throw new Error(`${name}: ${rest}`);
    if (sign === '+') return environment[name] ? rest : '';
    return environment[name] || rest;
  });

const environmentOf = (service: Service, environment: Environment = {}): Environment =>
  Object.fromEntries(
    Object.entries(service.environment).map(([name, value]) => [name, interpolate(value, environment)]),
  );

const seconds = (duration: string) =>
  [...duration.matchAll(/([\d.]+)(ms|s|m)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (unit === 'ms' ? 0.001 : unit === 'm' ? 60 : 1),
    0,
  );

const keys = { API_KEYS: `me:${'k'.repeat(32)}` };
const apiConfig = loadConfig(environmentOf(api, keys));
const workerConfig = loadConfig(environmentOf(worker));

describe('docker-compose.yml', () => {
  it('uses only variables that the configuration knows, and one that Node reads', () => {
    const mentioned = [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    const set = [api, worker].flatMap(({ environment }) => Object.keys(environment));
    const foreign = [...mentioned, ...set].filter((name) => !known.includes(name ?? ''));
    expect([...new Set(foreign)]).toEqual(['NODE_EXTRA_CA_CERTS']);
  });

  it('passes every variable on to the API or the workers, except those of npm start and of another Temporal server', () => {
    const elsewhere = /^(TEMPORAL_.*|EMBEDDED_.*|WORKERS|DATA_DIR|RETENTION_DAYS|JOKE_API_PORT)$/;
    const handed = new Set([api, worker].flatMap(({ environment }) => Object.keys(environment)));
    expect(known.filter((name) => !elsewhere.test(name) && !handed.has(name))).toEqual([]);
  });

  // A bind mount fails if the file is missing. The short syntax would create a folder in its place.
  it('mounts the file of NODE_EXTRA_CA_CERTS into the workers, where Node reads it', () => {
    const mount = worker.volumes?.[0] as Mount;
    expect(mount).toMatchObject({ type: 'bind', read_only: true });
    const chosen = { NODE_EXTRA_CA_CERTS: './ca.pem' };
    expect(interpolate(mount.source, chosen)).toBe('./ca.pem');
    expect(environmentOf(worker, chosen).NODE_EXTRA_CA_CERTS).toBe(mount.target);
    expect(interpolate(mount.source, {})).toBe('/dev/null');
    expect(environmentOf(worker).NODE_EXTRA_CA_CERTS).toBe('');
  });

  it('gives the API and the workers the same policy: the defaults, or that of .env', () => {
    expect(apiConfig.policy).toEqual(loadConfig({}).policy);
    expect(workerConfig.policy).toEqual(apiConfig.policy);
    const chosen = { ...keys, MAX_ATTEMPTS: '9', BASE_DELAY: '0.5', NON_RETRYABLE_ERRORS: 'UpstreamTimeout' };
    const { policy } = loadConfig(environmentOf(api, chosen));
    expect(policy).toMatchObject({
      maximumAttempts: 9,
      initialIntervalMs: 500,
      nonRetryableErrorTypes: ['UpstreamTimeout'],
    });
    expect(loadConfig(environmentOf(worker, chosen)).policy).toEqual(policy);
  });

  it('connects both to its Temporal server, whose namespace keeps tasks for RETENTION_DAYS', () => {
    for (const { temporal, embedded } of [apiConfig, workerConfig]) {
      expect(embedded).toBeUndefined();
      expect(temporal).toMatchObject({ address: 'temporal:7233', namespace: 'default' });
    }
    const { environment, command } = named('temporal-namespace');
    const { address, namespace } = apiConfig.temporal;
    expect(environment).toMatchObject({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace });
    expect(interpolate(environment.RETENTION ?? '', {})).toBe(`${defaults.RETENTION_DAYS}d`);
    expect(command?.at(-1)).toContain('--retention "$$RETENTION"');
  });

  it('starts the API only with API_KEYS, and says how to make one', () => {
    expect(apiConfig).toMatchObject({ host: '0.0.0.0', apiKeys: [{ owner: 'me' }] });
    expect(() => environmentOf(api)).toThrow(/^API_KEYS: .*openssl rand/);
  });

  it('publishes ports on loopback only, and no port of the database', () => {
    const ports = all.flatMap(([, service]) => service.ports ?? []);
    expect(ports.filter((port) => !/^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/.test(port))).toEqual([]);
    expect(api.ports).toEqual([`127.0.0.1:\${PORT:-${defaults.PORT}}:${apiConfig.port}`]);
    expect(named('postgres').ports).toBeUndefined();
  });

  it('waits longer for a container to stop than SHUTDOWN_GRACE and the 5 s until attempts are cut off', () => {
    for (const service of [api, worker])
      for (const SHUTDOWN_GRACE of ['', '0', '0.5', '120', '3600']) {
        const { shutdownGraceMs } = loadConfig(environmentOf(service, { ...keys, SHUTDOWN_GRACE }));
        expect(seconds(interpolate(service.stop_grace_period ?? '', { SHUTDOWN_GRACE }))).toBeGreaterThan(
          shutdownGraceMs / 1_000 + 5,
        );
      }
  });

  it('prepares the schemas of both databases with the tool of the same version as the server', () => {
    const [job, server] = [named('temporal-schema'), named('temporal')];
    expect(job.image.replace('admin-tools', 'server')).toBe(server.image);
    expect(named('temporal-namespace').image).toBe(job.image);
    const { DB, DB_PORT, POSTGRES_SEEDS, POSTGRES_USER, POSTGRES_PWD } = server.environment;
    expect(job.environment).toEqual({
      ...{ SQL_PLUGIN: DB, SQL_HOST: POSTGRES_SEEDS, SQL_PORT: DB_PORT, SQL_USER: POSTGRES_USER },
      SQL_PASSWORD: POSTGRES_PWD,
    });
    for (const [store, schema] of Object.entries(schemas))
      expect(job.command?.at(-1)).toContain(`prepare ${databases[store as keyof typeof databases]} ${schema}`);
  });

  it('checks the health of every service with commands that its image has', () => {
    expect(
      all
        .filter(([name]) => !isJob(name))
        .filter(([, { healthcheck }]) => healthcheck?.test?.[0] !== 'CMD')
        .map(([name]) => name),
    ).toEqual([]);
    expect(api.healthcheck?.test?.join(' ')).toContain(`CMD node -e fetch('http://127.0.0.1:${apiConfig.port}/ready')`);
    const { host, port } = workerConfig.workerMetrics;
    expect(host).toBe('0.0.0.0');
    expect(worker.healthcheck?.test?.join(' ')).toContain(`CMD node -e fetch('http://127.0.0.1:${port}/health')`);
  });

  it('starts services after those they need, and restarts them when they end', () => {
    for (const [name, { restart }] of all) expect(restart).toBe(isJob(name) ? 'on-failure' : 'unless-stopped');
    const conditions = all.flatMap(([, { depends_on }]) => Object.entries(depends_on ?? {}));
    for (const [needed, { condition }] of conditions) {
      expect(named(needed).healthcheck === undefined).toBe(isJob(needed));
      expect(condition).toBe(isJob(needed) ? 'service_completed_successfully' : 'service_healthy');
    }
    // `docker compose up --wait` fails on a job that has ended, unless another service waits for its end.
    expect(new Set(conditions.map(([needed]) => needed).filter(isJob))).toEqual(new Set(jobs));
    expect([api, worker].map((service) => [service.init, Object.keys(service.depends_on ?? {})])).toEqual([
      [true, ['temporal-namespace']],
      [true, ['temporal-namespace']],
    ]);
    expect(worker.deploy?.replicas).toBe(2);
  });

  it('limits the memory of the API and of each worker', () => {
    expect([api, worker].map(({ mem_limit }) => mem_limit)).toEqual(['1g', '2g']);
  });

  it('pins every image that it does not build', () => {
    const images = all.filter(([, { build }]) => !build).map(([, { image }]) => image);
    expect(images).toHaveLength(5);
    expect(images.filter((image) => !/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/.test(image))).toEqual([]);
  });

  it('mounts files that exist, and declares its volumes', () => {
    for (const volume of all.flatMap(([, service]) => service.volumes ?? [])) {
      if (typeof volume !== 'string') continue;
      const [from = ''] = volume.split(':');
      expect(from.startsWith('./') ? existsSync(url(from)) : from in volumes).toBe(true);
    }
    const mounted = '/etc/temporal/config/dynamicconfig/holdfast.yaml';
    expect(named('temporal').environment.DYNAMIC_CONFIG_FILE_PATH).toBe(mounted);
    expect(named('temporal').volumes).toEqual([`./deploy/temporal-dynamic-config.yaml:${mounted}:ro`]);
  });
});

describe('deploy/temporal-dynamic-config.yaml', () => {
  it('sets one partition per task queue, fairness, no early retries, fast polls, queues that forget, small caches, 10 s at most for lost work, and no host for the HTTP API', () => {
    expect(parseYaml(read('deploy/temporal-dynamic-config.yaml'))).toMatchObject({
      'matching.numTaskqueueReadPartitions': [{ value: 1 }],
      'matching.numTaskqueueWritePartitions': [{ value: 1 }],
      'matching.enableFairness': [{ value: true }],
      'matching.longPollExpirationInterval': [{ value: '15s' }],
      'system.enableActivityRetryStampIncrement': [{ value: true }],
      'history.transferProcessorMaxPollRPS': [{ value: 2000 }],
      'history.transferProcessorUpdateAckInterval': [{ value: '1s' }],
      'history.timerProcessorUpdateAckInterval': [{ value: '1s' }],
      'history.visibilityProcessorUpdateAckInterval': [{ value: '1s' }],
      'history.hostLevelCacheMaxSize': [{ value: 512 }],
      'history.xdcCacheMaxSizeBytes': [{ value: 65_536 }],
      'history.workflowTaskRetryMaxInterval': [{ value: '10s' }],
      'frontend.httpAllowedHosts': [{ value: ['none.invalid'] }],
    });
  });
});

describe('Dockerfile', () => {
  const [, ...stages] = read('Dockerfile').split(/^FROM /m);

  it('starts from a pinned Debian image, never Alpine', () => {
    for (const stage of stages) expect(stage).toMatch(/^node:\d+-bookworm-slim\b/);
  });

  it('runs as an unprivileged user, which Compose does not change', () => {
    expect(stages.at(-1)?.match(/^USER .*$/gm)).toEqual(['USER node']);
    for (const { user, privileged } of [api, worker]) expect([user, privileged]).toEqual([undefined, undefined]);
  });

  it('copies no .env, and only files that the build names', () => {
    const allowed = read('.dockerignore').match(/^[^#\n].*$/gm);
    const copied = [...(stages[0] ?? '').matchAll(/^COPY (.*) \S+$/gm)].flatMap(([, files]) => files?.split(' ') ?? []);
    expect(allowed?.sort()).toEqual(['*', ...copied.map((file) => `!${file}`)].sort());
    for (const file of copied) expect(existsSync(url(file))).toBe(true);
  });
});
