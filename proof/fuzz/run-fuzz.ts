import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createHoldfastClient } from '../../cli/client/holdfast-client.ts';
import { type Target, toKeyFault, toTarget } from '../../cli/client/target.ts';
import { SetupError } from '../../cli/setup-error.ts';
import { createTemporaryDirectory } from '../../cli/temporary-directory.ts';
import { withStack } from '../../local/stack/with-stack.ts';
import { loadEnvironment } from '../../src/config/config.ts';
import { loadEngine } from '../engine.ts';
import { obtainSchemathesis } from './schemathesis.ts';

/** The flags of `npm run fuzz`. */
export type FuzzFlags = { url?: string; examples: number; seed?: number[]; minutes: number; verbose?: true };

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Runs the fuzzer with each seed against the Holdfast of `--url` or, without `--url`, against a new stack. Returns the
 * exit code: 1 if any answer was not as documented, else 0.
 * @throws {SetupError} if Schemathesis cannot be installed, the Holdfast does not answer, or a seed exceeds `minutes`.
 */
export async function runFuzz(flags: FuzzFlags, signal: AbortSignal): Promise<number> {
  const say = (line: string) => console.log(line);
  const environment = loadEnvironment();
  const explicitPath = environment.SCHEMATHESIS_PATH || undefined;
  const given = flags.url === undefined ? undefined : await toGiven(toTarget(environment, flags.url), signal);
  const schemathesis = await obtainSchemathesis({ explicitPath, say, signal });
  const runAll = async (target: Target) => {
    let worst = 0;
    for (const seed of flags.seed ?? [1])
      worst = Math.max(worst, await runSchemathesis(schemathesis, target, { ...flags, seed, signal }));
    return worst;
  };
  if (given) return await runAll(given);
  const apiKey = 'fuzz'.padEnd(32, '-');
  const listen = flags.verbose && ((words: string) => void process.stderr.write(words));
  say(`Engine: ${loadEngine()}`);
  return await withStack({ say, signal, ...(listen && { listen }) }, { API_KEYS: `fuzz:${apiKey}` }, ({ url }) =>
    runAll({ url, apiKey }),
  );
}

type Run = { seed: number; examples: number; minutes: number; signal: AbortSignal };

/** Returns 0 if Schemathesis found no fault, else 1. */
async function runSchemathesis(
  schemathesis: string,
  { url, apiKey }: Target,
  { seed, examples, minutes, signal }: Run,
): Promise<number> {
  // Schemathesis writes files into its working directory, so that must be a temporary one.
  const directory = createTemporaryDirectory('holdfast-fuzz-');
  const choice = [
    ...['--seed', String(seed), '--max-examples', String(examples), '--generation-database', ':memory:'],
    // Without API keys the API accepts every caller, so the check `ignored_auth` would fail.
    ...(apiKey === undefined ? ['--exclude-checks', 'ignored_auth'] : []),
  ];
  try {
    const { exitCode, timedOut, cause } = await execa(
      schemathesis,
      ['--config-file', here('schemathesis.toml'), 'run', `${url}/openapi.json`, '--continue-on-failure', ...choice],
      {
        cwd: directory.path,
        env: {
          HOLDFAST_API_KEY: apiKey ?? 'none',
          HOLDFAST_FUZZ_HOOKS: here('hooks.py'),
          PYTHONUNBUFFERED: '1',
          PYTHONDONTWRITEBYTECODE: '1',
        },
        stdin: 'ignore',
        stdout: 'inherit',
        stderr: 'inherit',
        reject: false,
        timeout: minutes * 60_000,
        cancelSignal: signal,
      },
    );
    signal.throwIfAborted();
    if (timedOut)
      throw new SetupError(`The run was not done after ${minutes} min: raise --minutes or lower --examples.`);
    if (exitCode === undefined) throw new SetupError(`Schemathesis did not run: ${String(cause)}`);
    return exitCode === 0 ? 0 : 1;
  } finally {
    directory.remove();
  }
}

/**
 * Returns the target with its key, or without a key if the API accepts every caller.
 * @throws {SetupError} if the target is not a Holdfast, cannot be reached, or refuses the key.
 */
async function toGiven(target: Target, signal: AbortSignal): Promise<Target> {
  const readPlan = (given: Target) => createHoldfastClient({ ...given, signal }).call('GET', '/retry-plan');
  await createHoldfastClient({ ...target, signal }).requireHoldfast();
  await readPlan(target).catch((error) => {
    throw toKeyFault(error, target);
  });
  const open: Target = { url: target.url, apiKey: undefined };
  return await readPlan(open).then(
    () => open,
    () => target,
  );
}
