import { parseArgs } from 'node:util';

const help = `npm start [-- --demo]

Runs Holdfast: an embedded Temporal server (unless TEMPORAL_ADDRESS is set), the workers and the API.

  --demo   fetch jokes from the local joke API: no internet needed
  --help   show this

Settings come from the environment and .env; docs/configuration.md lists them.`;

/** The flags of `npm start`; says what is wrong with them and exits with code 2, or helps and exits with code 0. */
export function readFlagsOrExit(args = process.argv.slice(2)): { demo: boolean } {
  const options = { demo: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  try {
    const { values } = parseArgs({ args, options });
    if (!values.help) return { demo: values.demo ?? false };
    console.log(help);
    process.exit(0);
  } catch (error) {
    const [fault] = (error as Error).message.split('. ');
    console.error(`${fault}: npm start takes --demo and --help.`);
    process.exit(2);
  }
}
