import { createCommand, runCommand } from '../cli/command.ts';
import { takeEnvironment } from '../local/processes/child-environment.ts';
import { runHoldfast } from '../local/start/run-holdfast.ts';
import { loadConfig, loadEnvironment } from '../src/config/config.ts';
import { createOutput } from '../src/telemetry/log.ts';

const { demo = false } = createCommand(
  'start',
  'Runs Holdfast: an embedded Temporal server (unless TEMPORAL_ADDRESS is set), the workers and the API.',
)
  .option('--demo', 'fetch jokes from the local joke API; needs no internet')
  .addHelpText('after', '\nSettings come from the environment and from .env; docs/configuration.md lists them.')
  .parse()
  .opts<{ demo?: boolean }>();
// If the reader of stdout stops reading, the supervisor must go on.
const output = createOutput();
const say = (line: string) => output.write(`${line}\n`);

await runCommand(
  async (_, ending) => {
    const config = loadConfig(loadEnvironment());
    await runHoldfast(config, { demo, say, ending, environment: takeEnvironment() });
    return 0;
  },
  { say },
);
