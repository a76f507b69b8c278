import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { createHoldfastClient, type HoldfastClient } from '../cli/client/holdfast-client.ts';
import { type Target, toKeyFault, toTarget } from '../cli/client/target.ts';
import { createCommand, runCommand, wholeNumber } from '../cli/command.ts';
import { SetupError } from '../cli/setup-error.ts';
import { createTemporaryDirectory } from '../cli/temporary-directory.ts';
import { withStack } from '../local/stack/with-stack.ts';
import { obtainSchemathesis } from '../proof/fuzz/schemathesis.ts';
import { loadEnvironment } from '../src/config/config.ts';

/** `npm run fuzz`: holds a Holdfast to its own document with requests that nobody thought of. */
const command = createCommand('fuzz', 'Property-based tests of the whole API against /openapi.json, with Schemathesis.')
  .option('--url <url>', 'a Holdfast that runs already; without it one is started, with a joke API, and stopped again')
  .option('--examples <n>', 'requests a phase makes of each operation, at most', wholeNumber(1, 1_000_000), 500)
  .option(
    '--seed <n>',
    'where the random numbers begin; several are several runs (default: 1)',
    (text, seeds: number[] = []) => [...seeds, wholeNumber(0, 2 ** 31 - 1)(text)],
  )
  .option('--minutes <n>', 'the longest that each run may take', wholeNumber(1, 1_440), 15)
  .option('--verbose', "show the words of the stack's processes, on stderr")
  .addHelpText(
    'after',
    `
A Holdfast given by --url gets thousands of tasks. Its key is read from HOLDFAST_API_KEY.
Exit codes: 0 every answer was as documented. 1 one was not, or time was up.`,
  )
  .parse();
const flags = command.opts<{ url?: string; examples: number; seed?: number[]; minutes: number; verbose?: true }>();
const say = (line: string) => console.log(line);
const here = (name: string) => fileURLToPath(new URL(`../proof/fuzz/${name}`, import.meta.url));

/** One run: 0 if Schemathesis found nothing, else 1. */
async function fuzz(schemathesis: string, { url, apiKey }: Target, seed: number, signal: AbortSignal): Promise<number> {
  // What it writes by itself, its database of examples among it, goes there.
  const directory = createTemporaryDirectory('holdfast-fuzz-');
  const choice = [
    ...['--seed', String(seed), '--max-examples', String(flags.examples), '--generation-database', ':memory:'],
    // Without keys nobody is refused.
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
        timeout: flags.minutes * 60_000,
        cancelSignal: signal,
      },
    );
    signal.throwIfAborted();
    if (timedOut)
      throw new SetupError(`The run was not done after ${flags.minutes} min: set --minutes, or fewer --examples.`);
    if (exitCode === undefined) throw new SetupError(`Schemathesis did not run: ${String(cause)}`);
    return exitCode === 0 ? 0 : 1;
  } finally {
    directory.remove();
  }
}

/**
 * A Holdfast that runs already, with the key that it wants: none where it has no keys, or nobody would be refused.
 * @throws {SetupError} when it is none, cannot be reached, or does not know the key.
 */
async function toGiven(target: Target, signal: AbortSignal): Promise<Target> {
  const knock = (client: HoldfastClient) => client.call('GET', '/retry-plan');
  const holdfast = createHoldfastClient({ ...target, signal });
  await holdfast.requireHoldfast();
  await knock(holdfast).catch((error) => {
    throw toKeyFault(error, target);
  });
  const isOpen = await knock(createHoldfastClient({ url: target.url, signal })).then(
    () => true,
    () => false,
  );
  return isOpen ? { url: target.url, apiKey: undefined } : target;
}

await runCommand(async (signal) => {
  const environment = loadEnvironment();
  const explicitPath = environment.SCHEMATHESIS_PATH || undefined;
  const given = flags.url === undefined ? undefined : await toGiven(toTarget(environment, flags.url), signal);
  const schemathesis = await obtainSchemathesis({ explicitPath, say, signal });
  const runAll = async (target: Target) => {
    let worst = 0;
    for (const seed of flags.seed ?? [1]) worst = Math.max(worst, await fuzz(schemathesis, target, seed, signal));
    return worst;
  };
  if (given) return await runAll(given);
  const apiKey = 'fuzz'.padEnd(32, '-');
  const listen = flags.verbose && ((words: string) => void process.stderr.write(words));
  return await withStack({ say, signal, ...(listen && { listen }) }, { API_KEYS: `fuzz:${apiKey}` }, ({ url }) =>
    runAll({ url, apiKey }),
  );
});
