import { execFileSync } from 'node:child_process';
import { afterEach, expect, test, vi } from 'vitest';
import { takeEnvironment } from '../../../local/processes/child-environment.ts';

afterEach(() => void vi.unstubAllEnvs());

const secrets = [
  'API_KEYS',
  'HOLDFAST_API_KEY',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'TEMPORAL_GRPC_META_X',
];

test('once the environment is taken, a child that inherits it gets no secrets, and the taker has them', () => {
  for (const name of secrets) vi.stubEnv(name, 'secret');
  const taken = takeEnvironment();
  const inherited = JSON.parse(
    execFileSync(process.execPath, ['-p', 'JSON.stringify(process.env)'], { encoding: 'utf8' }),
  );
  expect(inherited).toHaveProperty('PATH');
  for (const name of secrets) {
    expect(taken).toHaveProperty(name, 'secret');
    expect(inherited).not.toHaveProperty(name);
  }
});
