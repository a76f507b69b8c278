import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { obtainSchemathesis } from '../../proof/fuzz/schemathesis.ts';
import { stubEmptyMachine } from '../support/empty-machine.ts';

let bin: string;
let cache: string;
let said: string[];

const version = '4.32.5';
const entry = () => join(cache, 'holdfast', 'schemathesis', version);
const obtain = (explicitPath?: string) => obtainSchemathesis({ explicitPath, say: (line) => said.push(line) });

/** A stand-in for a command, in plain sh: PATH holds nothing but the stand-ins. */
function writeCommand(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A `python3` whose virtual environment has a pip that does `pip` and a Schemathesis of version `found`. */
const writePython = ({ pip = 'exit 0', found = version } = {}) =>
  writeCommand(
    join(bin, 'python3'),
    `/bin/mkdir -p "$3/bin"
/bin/cat > "$3/bin/python" <<'SCRIPT'
#!/bin/sh
if [ "$2" = pip ]; then ${pip}; fi
echo "python -m schemathesis.cli, version ${found}"
SCRIPT
/bin/chmod 755 "$3/bin/python"`,
  );

beforeEach(() => {
  ({ bin, cache } = stubEmptyMachine());
  said = [];
});
afterEach(() => vi.unstubAllEnvs());

// Seen to fail when the wrapper contained the path of its directory, because the directory is moved afterwards.
test('installs into the cache once, and finds it there from then on', async () => {
  writePython();
  await expect(obtain()).resolves.toBe(join(entry(), 'schemathesis'));
  expect(said.at(-1)).toContain(`schemathesis ${version}, from pip install`);
  await obtain();
  expect(said.at(-1)).toContain('from the cache');
});

test('takes no other version, neither from PATH nor from SCHEMATHESIS_PATH', async () => {
  const other = writeCommand(join(bin, 'schemathesis'), 'echo "schemathesis, version 3.0.0"');
  writePython();
  await expect(obtain()).resolves.toBe(join(entry(), 'schemathesis'));
  expect(said.join('\n')).toContain('PATH failed');
  await expect(obtain(other)).rejects.toThrow(/^SCHEMATHESIS_PATH=.*does not work/);
});

test('an installation that fails or gives another version leaves nothing in the cache', async () => {
  writePython({ pip: 'echo "no matching distribution" >&2; exit 1' });
  await expect(obtain()).rejects.toThrow();
  expect(said.at(-1)).toContain('no matching distribution');
  writePython({ found: '5.0.0' });
  await expect(obtain()).rejects.toThrow();
  expect(readdirSync(join(entry(), '..'))).toEqual([]);
});

test('without Python it says what to install', async () => {
  await expect(obtain()).rejects.toThrow(/Python 3\.10 .*python3-venv.*SCHEMATHESIS_PATH/);
  expect(existsSync(entry())).toBe(false);
});
