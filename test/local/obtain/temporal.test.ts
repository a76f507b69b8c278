import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { obtainTemporal } from '../../../local/obtain/temporal.ts';
import { stubEmptyMachine } from '../../support/empty-machine.ts';
import { createDirectory } from '../../support/processes.ts';

let bin: string;
let cache: string;
let said: string[];

const toEntry = (...parts: string[]) => join(cache, 'holdfast', ...parts);
const cliEntry = () => toEntry('temporal-cli', 'v1.9.1');
const serverEntry = () => toEntry('temporal-server', 'v1.32.1');
const built = () => ({
  path: join(serverEntry(), 'server'),
  version: '0.0.0-BUILT',
  webUi: toEntry('temporal-ui', 'v2.54.1', 'server'),
});
const obtain = (explicitPath?: string) => obtainTemporal({ explicitPath, say: (line) => said.push(line) });

/** Writes a stand-in for a command, in plain sh. PATH has only the stand-ins. */
function writeCommand(path: string, script: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Writes a stand-in for the Temporal CLI. */
const writeTemporal = (path: string) =>
  writeCommand(path, 'echo "temporal version 0.0.0-STANDIN (Server 1.2.3, UI 4.5.6)"');
const standIn = (path: string) => ({ path, version: '1.2.3', webUi: undefined });

/** Writes a `go` that installs stand-ins for Temporal's server, its SQL tool and its Web UI. They run `script`. */
const writeGo = (script = 'echo "$name version 0.0.0-BUILT"') =>
  writeCommand(
    join(bin, 'go'),
    `echo "$@" >&2
case "$*" in *ui-server*) name="Temporal UI";; *) name=temporal;; esac
for file in server sql; do
  printf '#!/bin/sh\\nname="%s"\\n%s\\n' "$name" '${script}' > "$GOBIN/$file"
  /bin/chmod 755 "$GOBIN/$file"
done`,
  );

beforeEach(() => {
  ({ bin, cache } = stubEmptyMachine());
  said = [];
  // Nothing listens there, so the official download fails at once, also on a machine with internet access.
  vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
});
afterEach(() => vi.unstubAllEnvs());

// Negative controls, each seen to fail a test here: filling the cache in place, skipping a bad explicit path, using
// cached binaries unchecked, keeping a broken cache entry.
test('prefers TEMPORAL_CLI_PATH to all other sources', async () => {
  writeTemporal(join(bin, 'temporal'));
  const explicit = writeTemporal(join(createDirectory(), 'my-temporal'));
  await expect(obtain(explicit)).resolves.toEqual(standIn(explicit));
  expect(said).toEqual(['Temporal: temporal version 0.0.0-STANDIN (Server 1.2.3, UI 4.5.6), from TEMPORAL_CLI_PATH']);
});

test("TEMPORAL_CLI_PATH may be Temporal's server, which needs a Web UI of its own", async () => {
  writeGo();
  const explicit = writeCommand(join(createDirectory(), 'my-server'), 'echo "temporal version 1.2.3"');
  await expect(obtain(explicit)).resolves.toEqual({ ...built(), path: explicit, version: '1.2.3' });
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

test('prefers PATH to the cache, a CLI to a built server, and skips a binary that does not work', async () => {
  writeGo();
  await obtain();
  const cached = writeTemporal(join(cliEntry(), 'temporal'));
  const onPath = writeTemporal(join(bin, 'temporal'));
  await expect(obtain()).resolves.toEqual(standIn(onPath));
  writeCommand(onPath, 'echo broken');
  await expect(obtain()).resolves.toEqual(standIn(cached));
  expect(said.join('\n')).toContain('PATH failed:');
  writeCommand(cached, 'echo broken');
  await expect(obtain()).resolves.toEqual(built());
});

test('announces each source, builds the servers with go install as the last, and later finds them in the cache', async () => {
  writeGo();
  await expect(obtain()).resolves.toEqual(built());
  const patterns = [
    /^Temporal: none in PATH$/,
    /^Temporal: none in the cache$/,
    /^Temporal: none in the cache of builds$/,
    /^Trying the official download of temporal v1\.9\.1/,
    /^Temporal: the official download failed/,
    /^Temporal server: building v1\.32\.1 with go install/,
    /^Temporal: temporal version 0\.0\.0-BUILT, from go install/,
    /^Temporal Web UI: none in the cache of builds$/,
    /^Temporal Web UI: building v2\.54\.1 with go install/,
    /^Temporal Web UI: Temporal UI version 0\.0\.0-BUILT, from go install/,
  ];
  expect(said).toEqual(patterns.map((pattern) => expect.stringMatching(pattern)));
  said = [];
  await expect(obtain()).resolves.toEqual(built());
  expect(said.join('\n')).not.toMatch(/download|building/);
});

test('two processes at once on an empty cache both get a complete build and leave nothing else', async () => {
  writeGo();
  expect(await Promise.all([obtain(), obtain()])).toEqual([built(), built()]);
  expect(readdirSync(join(serverEntry(), '..'))).toEqual(['v1.32.1']);
});

test('replaces a cached build that does not work', async () => {
  writeCommand(join(serverEntry(), 'server'), 'exit 1');
  writeGo();
  await obtain();
  expect(said.join('\n')).toContain('temporal version 0.0.0-BUILT, from go install');
  expect(readdirSync(join(serverEntry(), '..'))).toEqual(['v1.32.1']);
});

test('does not cache a build that fails half-way or does not run', async () => {
  writeCommand(join(bin, 'go'), 'echo half > "$GOBIN/server"; echo "no space left on device" >&2; exit 1');
  await expect(obtain()).rejects.toThrow();
  expect(said.at(-1)).toMatch(/go install failed: go ended with 1: no space left on device$/);
  writeGo('exit 1');
  await expect(obtain()).rejects.toThrow();
  expect(readdirSync(join(serverEntry(), '..'))).toEqual([]);
});

test('says what to install when nothing works', async () => {
  await expect(obtain()).rejects.toThrow(
    /Temporal CLI \(https:\/\/docs\.temporal\.io\/cli\) or Go .* or set TEMPORAL_CLI_PATH/,
  );
  expect(said.at(-1)).toBe('Temporal: go install failed: go is not on PATH');
  expect(existsSync(serverEntry())).toBe(false);
});

test('stops at once on request, and leaves nothing in the cache', async () => {
  const started = join(cache, 'started');
  writeCommand(join(bin, 'go'), `echo > ${started}; exec /bin/sleep 600`);
  const controller = new AbortController();
  const obtaining = obtainTemporal({ explicitPath: undefined, say: () => {}, signal: controller.signal });
  obtaining.catch(() => {});
  await vi.waitUntil(() => existsSync(started), { timeout: 15_000 });
  controller.abort();
  await expect(obtaining).rejects.toThrow(/abort/i);
  expect(readdirSync(join(serverEntry(), '..'))).toEqual([]);
});
