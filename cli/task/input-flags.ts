import { type Command, InvalidArgumentError } from 'commander';
import { z } from 'zod';
import { type TaskName, tasks } from '../../src/tasks.ts';

/** Flags that every task's command has. An input field with such a name can be set only by `--input`. */
const reserved = ['count', 'watch', 'wait', 'input', 'url', 'json', 'help'];

const toFlagName = (field: string) => field.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);

function parseInput(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It must be JSON. Put it in single quotes for the shell.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidArgumentError('It must be a JSON object.');
}

/**
 * Adds to `command` a flag for each text field of the task's input schema, and `--input` for the whole input.
 * @returns A function that turns the parsed flags into one input. The function returns `undefined` if neither `--input`
 *   nor the flag of a field was given.
 */
export function addInputFlags(command: Command, name: TaskName): (flags: object) => object | undefined {
  const { properties = {} } = z.toJSONSchema(tasks[name].input, { io: 'input', unrepresentable: 'any' });
  const texts = Object.entries(properties).flatMap(([field, schema]) =>
    typeof schema === 'object' && schema.type === 'string' && !reserved.includes(field) ? [{ field, schema }] : [],
  );
  for (const { field, schema } of texts) command.option(`--${toFlagName(field)} <text>`, schema.description);
  command.option('--input <json>', 'the whole input as JSON; other flags override its fields', parseInput);
  return (flags) => {
    const { input, ...values } = flags as { input?: object } & Record<string, unknown>;
    const given = texts.flatMap(({ field }) => (values[field] === undefined ? [] : [[field, values[field]]]));
    return given.length === 0 ? input : { ...input, ...Object.fromEntries(given) };
  };
}
