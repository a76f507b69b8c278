import { createCommand } from '../cli/command.ts';
import { addSubcommands } from '../cli/task/subcommands.ts';

const command = createCommand('task', 'Submits tasks to a running Holdfast, watches, lists, cancels and reruns them.')
  .option('--url <url>', 'the Holdfast to call (default: HOLDFAST_URL, else the HOST and PORT of this environment)')
  .option('--json', 'print only JSON documents of the API on stdout, one per line')
  .configureHelp({ showGlobalOptions: true })
  .addHelpText(
    'after',
    `
Exit codes: 0 success; for submitted or watched tasks, all of them completed. 1 a task failed or was cancelled, or
Holdfast refused or did not answer. 2 a wrong flag. 130 Ctrl-C; submitted tasks keep running.

Set HOLDFAST_API_KEY to the key if Holdfast has API_KEYS. There is no flag for it, because process listings show flags.
In a pipe, write npm run --silent task -- …, because npm prints lines of its own on stdout.`,
  );
addSubcommands(command);
await command.parseAsync();
