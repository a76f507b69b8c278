import { createCommand, runCommand } from '../cli/command.ts';
import { takeEnvironment } from '../local/processes/child-environment.ts';
import { runTemporalOnPostgres } from '../local/temporal-postgres/run-temporal-on-postgres.ts';
import { loadConfig, loadEnvironment } from '../src/config/config.ts';

createCommand('temporal:postgres', 'Runs the production Temporal server on PostgreSQL, for tests and measurements.')
  .addHelpText(
    'after',
    '\nOnly Go must be installed: it builds the server once. PostgreSQL comes from npm if none is installed.\n' +
      'EMBEDDED_TEMPORAL_PORT is the port, and DATA_DIR holds the data; docs/configuration.md lists all settings.',
  )
  .parse();
const say = (line: string) => console.log(line);

await runCommand(
  async (_, ending) => {
    const config = loadConfig(loadEnvironment());
    takeEnvironment();
    await runTemporalOnPostgres(config, { say, ending });
    return 0;
  },
  { say },
);
