import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TaskInput, taskNames, tasks } from '../../src/tasks.ts';
import { wholeNumber } from '../command.ts';
import { addInputFlags } from './input-flags.ts';
import { statusNames } from './lines.ts';
import { cancelTask, type ListFlags, listTasks, showTask } from './read-tasks.ts';
import { runSession } from './session.ts';
import { submitTasks } from './submit-tasks.ts';

const watchFlag = 'also show the time until the next attempt: live on a terminal, elsewhere every 10 s';
const watched = `Prints a line for each new state of a task, or a document with --json. The last line shows how the task
ended. Each task is read every 250 ms, so shorter states may be missing.`;

/** Allows only letters, digits, `_` and `-`, because other characters could change the path of the request. */
function parseId(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a whole id. `npm run task -- list` prints them.');
}

/** Adds a subcommand to `npm run task` for each task of the catalogue, and `status`, `list`, `cancel` and `rerun`. */
export function addSubcommands(command: Command): void {
  for (const name of taskNames) {
    const submit = command.command(name).description(tasks[name].summary);
    const toInput = addInputFlags(submit, name);
    submit
      .option('--count <n>', 'how many tasks to submit', wholeNumber(1, 1_000), 1)
      .option('--watch', watchFlag)
      .option('--no-wait', 'only submit; exit code 0 if all were accepted')
      .addHelpText('after', `\n${watched}`)
      .action((flags: { count: number; wait: boolean }, self: Command) => {
        const { count, wait } = flags;
        // Only the API checks the input, because a newer API may accept input that this catalogue does not know.
        const input = toInput(flags) as TaskInput;
        return runSession(self, (session) =>
          submitTasks({ submit: (holdfast) => holdfast.submit(name, input), count, wait }, session),
        );
      });
  }

  command
    .command('status')
    .description('Show a task as it is now, or watch it until it ends')
    .argument('<id>', 'the whole id', parseId)
    .option('--watch', `watch the task until it ends; ${watchFlag}`)
    .addHelpText('after', `\nWith --watch: ${watched}`)
    .action((id: string, { watch = false }: { watch?: boolean }, self: Command) =>
      runSession(self, (session) => showTask(id, watch, session)),
    );

  command
    .command('list')
    .description(
      'List tasks: first the open ones by start time, then the finished ones by finish time. A new task may take a second to appear',
    )
    .addOption(new Option('--name <name>', 'only tasks of this name').choices(taskNames))
    .addOption(new Option('--status <status>', 'only tasks in this state').choices(statusNames))
    .option('--limit <n>', 'tasks per page (default: 50, with --all 200)', wholeNumber(1, 1_000))
    .option('--all', 'every page, not only the first')
    .action((flags: ListFlags, self: Command) => runSession(self, (session) => listTasks(flags, session)));

  command
    .command('cancel')
    .description('Cancel a task; a running attempt ends at its next heartbeat')
    .argument('<id>', 'the whole id', parseId)
    .action((id: string, _, self: Command) => runSession(self, (session) => cancelTask(id, session)));

  command
    .command('rerun')
    .description('Submit the input of a finished task again, as a new task')
    .argument('<id>', 'the whole id', parseId)
    .option('--watch', watchFlag)
    .option('--no-wait', 'only submit; exit code 0 if the task was accepted')
    .action((id: string, { wait }: { wait: boolean }, self: Command) =>
      runSession(self, (session) => submitTasks({ submit: (holdfast) => holdfast.rerun(id), count: 1, wait }, session)),
    );
}
