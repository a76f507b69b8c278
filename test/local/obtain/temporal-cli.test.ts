import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { obtainTemporalCli } from '../../../local/obtain/temporal-cli.ts';
import { createDirectory } from '../../support/processes.ts';

let bin: string;
let cache: string;
let said: string[];

const entry = () => join(cache, 'holdfast', 'temporal-cli', 'v1.5.1');
const obtain = (explicitPath?: string) => obtainTemporalCli({ explicitPath, say: (line) => said.push(line) });

/** Writes a stand-in for a command, in plain sh. PATH has only the stand-ins. */
function writeCommand(path: string, script: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const writeTemporal = (path: string) => writeCommand(path, 'echo "temporal version 0.0.0-STANDIN"');

/** Writes a `go` that installs a stand-in for temporal. Its content is `script`. */
const writeGo = (script = 'echo "temporal version 0.0.0-BUILT"') =>
  writeCommand(
    join(bin, 'go'),
    `echo "$@" >&2; printf '#!/bin/sh\\n%s\\n' '${script}' > "$GOBIN/temporal"; /bin/chmod 755 "$GOBIN/temporal"`,
  );

beforeEach(() => {
  bin = createDirectory();
  cache = createDirectory();
  said = [];
  vi.stubEnv('PATH', bin);
  vi.stubEnv('XDG_CACHE_HOME', cache);
  // Nothing listens there, so the official download fails at once, also on a machine with internet access.
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
});
afterEach(() => vi.unstubAllEnvs());

// Negative controls, each seen to fail a test here: filling the cache in place, skipping a bad explicit path, using
// cached binaries unchecked, keeping a broken cache entry.
test('prefers TEMPORAL_CLI_PATH to all other sources', async () => {
  writeTemporal(join(bin, 'temporal'));
  const explicit = writeTemporal(join(createDirectory(), 'my-temporal'));
  await expect(obtain(explicit)).resolves.toBe(explicit);
  expect(said).toEqual(['Temporal CLI: temporal version 0.0.0-STANDIN, from TEMPORAL_CLI_PATH']);
});

test.each([
  ['is missing', () => join(bin, 'nothing')],
  ['is a directory', () => bin],
  ['fails', () => writeCommand(join(bin, 'x'), 'exit 1')],
  ['is another program', () => writeCommand(join(bin, 'x'), 'echo "git version 2"')],
])('stops at a TEMPORAL_CLI_PATH that %s, although there is one on PATH', async (_, toPath) => {
  writeTemporal(join(bin, 'temporal'));
  await expect(obtain(toPath())).rejects.toThrow(/^TEMPORAL_CLI_PATH=.*[Cc]orrect it, or unset it/);
});

test('prefers PATH to the cache, and skips a binary that does not work', async () => {
  const cached = writeTemporal(join(entry(), 'temporal'));
  const onPath = writeTemporal(join(bin, 'temporal'));
  await expect(obtain()).resolves.toBe(onPath);
  writeCommand(onPath, 'echo broken');
  await expect(obtain()).resolves.toBe(cached);
  expect(said.join('\n')).toContain('PATH failed:');
});

test('announces each source, builds with go install as the last, and later finds the result in the cache', async () => {
  writeGo();
  const built = join(entry(), 'temporal');
  await expect(obtain()).resolves.toBe(built);
  const [onPath, inCache, trying, download, building, done] = said;
  expect(onPath).toBe('Temporal CLI: none in PATH');
  expect(inCache).toBe('Temporal CLI: none in the cache');
  expect(trying).toContain('Trying the official download');
  expect(download).toContain('the official download failed');
  expect(building).toContain('building v1.5.1 with go install');
  expect(done).toContain('temporal version 0.0.0-BUILT, from go install');
  said = [];
  await expect(obtain()).resolves.toBe(built);
  expect(said.at(-1)).toContain('from the cache');
});

test('two processes at once on an empty cache both get a complete binary and leave nothing else', async () => {
  writeGo();
  const paths = await Promise.all([obtain(), obtain()]);
  expect(paths).toEqual([join(entry(), 'temporal'), join(entry(), 'temporal')]);
  expect(readdirSync(join(entry(), '..'))).toEqual(['v1.5.1']);
});

test('replaces a cached binary that does not work', async () => {
  writeCommand(join(entry(), 'temporal'), 'exit 1');
  writeGo();
  await obtain();
  expect(said.at(-1)).toContain('temporal version 0.0.0-BUILT, from go install');
  expect(readdirSync(join(entry(), '..'))).toEqual(['v1.5.1']);
});

test('does not cache a build that fails half-way or does not run', async () => {
  writeCommand(join(bin, 'go'), 'echo half > "$GOBIN/temporal"; echo "no space left on device" >&2; exit 1');
  await expect(obtain()).rejects.toThrow();
  expect(said.at(-1)).toMatch(/go install failed: go ended with 1: no space left on device$/);
  writeGo('exit 1');
  await expect(obtain()).rejects.toThrow();
  expect(readdirSync(join(entry(), '..'))).toEqual([]);
});

test('says what to install when nothing works', async () => {
  await expect(obtain()).rejects.toThrow(
    /Temporal CLI \(https:\/\/docs\.temporal\.io\/cli\) or Go .* or set TEMPORAL_CLI_PATH/,
  );
  expect(said.at(-1)).toBe('Temporal CLI: go install failed: go is not on PATH');
  expect(existsSync(entry())).toBe(false);
});

test('stops at once on request, and leaves nothing in the cache', async () => {
  const started = join(cache, 'started');
  writeCommand(join(bin, 'go'), `echo > ${started}; exec /bin/sleep 600`);
  const controller = new AbortController();
  const obtaining = obtainTemporalCli({ explicitPath: undefined, say: () => {}, signal: controller.signal });
  obtaining.catch(() => {});
  await vi.waitUntil(() => existsSync(started), { timeout: 15_000 });
  controller.abort();
  await expect(obtaining).rejects.toThrow(/abort/i);
  expect(readdirSync(join(entry(), '..'))).toEqual([]);
});
