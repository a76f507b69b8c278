import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parse } from 'dotenv';
import { describe, expect, it } from 'vitest';
import { ConfigError, type Environment, knownVariables, loadConfig } from '../../src/config/config.ts';
import { failureTypes, toWaitMs } from '../../src/policy.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name ?? '');

const commented = read('.env.example');
const example = parse(commented.replace(/^#(?=[A-Z_]+=)/gm, ''));
const guide = read('docs/configuration.md');
const rows = guide
  .split('\n')
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .filter(([, name]) => /^`[A-Z_]+`$/.test(name ?? ''))
  .map(([, name, value, bounds]) => ({
    name: name?.replaceAll('`', '') ?? '',
    value: value === '(none)' ? '' : (value?.replaceAll('`', '') ?? ''),
    bounds,
  }));

/** Variables that envconfig reads and the TypeScript SDK does not use. */
const withoutEffect = ['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION', 'TEMPORAL_CODEC_ENDPOINT', 'TEMPORAL_CODEC_AUTH'];
const envconfigSource = new URL(
  'envconfig-toml.js',
  `file://${createRequire(import.meta.url).resolve('@temporalio/envconfig')}`,
);
const envconfig = all(readFileSync(envconfigSource, 'utf8'), /envProvider\['(TEMPORAL_\w+)'\]/g);
const variables = knownVariables.filter((name) => !name.startsWith('HOLDFAST_')).sort();

/** Variables of the client commands. They are not part of the configuration. */
const clientVariables = all(read('cli/client/target.ts'), /\benvironment\.(HOLDFAST_[A-Z_]+)/g);

/** Variables without a default. If one is unset, there is no value, or it comes from elsewhere. */
const withoutDefault = /^(API_KEYS|OPERATORS|NON_RETRYABLE_ERRORS|(HTTPS?|NO)_PROXY|TEMPORAL_(?!NAMESPACE).*)$/;

function faultsOf(environment: Environment): string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
}

describe('.env.example', () => {
  it('is compared with all variables that the sources read', () => {
    expect(variables).toEqual(expect.arrayContaining(['PORT', 'JOB_TIMEOUT', 'TEMPORAL_CLI_PATH', 'TEMPORAL_ADDRESS']));
    expect(knownVariables.filter((name) => envconfig.includes(name)).sort()).toEqual(
      envconfig.filter((name) => !withoutEffect.includes(name)).sort(),
    );
    expect(knownVariables.filter((name) => name.startsWith('HOLDFAST_')).sort()).toEqual([...clientVariables].sort());
  });

  it('changes nothing unless a line is uncommented', () => {
    expect(parse(commented)).toEqual({});
  });

  it('names every variable that is read exactly once, and no others', () => {
    expect(all(commented, /^#([A-Z][A-Z0-9_]+)=/gm).sort()).toEqual(variables);
  });

  it('shows the defaults: uncommented, it gives the same configuration as an empty environment', () => {
    // Setting API_BASE_URL to its default differs from not setting it: the joke API never replaces a chosen upstream.
    expect({ ...loadConfig(example), upstreamIsDefault: true }).toEqual(loadConfig({}));
  });

  it('leaves only variables without a default empty', () => {
    const empty = Object.keys(example).filter((name) => example[name] === '');
    expect(empty.sort()).toEqual(variables.filter((name) => withoutDefault.test(name)));
  });
});

describe('docs/configuration.md', () => {
  it('has a row for each variable, including those of the client commands, with the default of .env.example', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual([...variables, ...clientVariables].sort());
    const defaults = Object.fromEntries(rows.map(({ name, value }) => [name, value]));
    expect(clientVariables).toContain('HOLDFAST_URL');
    expect(defaults).toEqual({ ...example, ...Object.fromEntries(clientVariables.map((name) => [name, ''])) });
  });

  const ranges = rows.flatMap(({ name, bounds }) => {
    const [, min, max] = /^([\d.]+) to ([\d.]+)/.exec(bounds ?? '') ?? [];
    return min && max ? [{ name, bounds, min: Number(min), max: Number(max) }] : [];
  });

  it.each(ranges)('gives the bounds of $name: $bounds', ({ name, min, max }) => {
    const outside = [-1, max + 1, ...(min > 0 ? [min * 0.99] : [])];
    const isRefused = (value: number) =>
      faultsOf({ [name]: String(value) }).some((fault) => fault.startsWith(`${name} must`) && !fault.includes('below'));
    expect([min, max, ...outside].filter(isRefused)).toEqual(outside);
  });

  it('quotes the faults exactly', () => {
    const [, command, quote] = /`([^`]+) npm run server` says:\n\n```\n([^`]+)\n```/.exec(guide) ?? [];
    const faults = quote?.split('\n').slice(1);
    expect(faultsOf(parse(command?.replaceAll(' ', '\n') ?? ''))).toEqual(faults?.map((line) => line.trim()));
  });

  it('gives the waits of the default policy', () => {
    const { policy } = loadConfig({});
    const waits = Array.from({ length: policy.maximumAttempts - 1 }, (_, index) => toWaitMs(policy, index + 1) ?? 0);
    expect(guide).toContain(`waits of ${waits.map((ms) => ms / 1_000).join(', ')} s`);
  });

  it('names every failure type', () => {
    for (const type of failureTypes) expect(guide).toContain(`\`${type}\``);
  });
});
