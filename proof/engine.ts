import { loadConfig } from '../src/config/config.ts';

/** The last line of `--help`. */
export const engineHelp =
  '\nENGINE=activity in the environment runs single tasks as standalone activities (docs/engines.md).';

/**
 * Returns the engine of the stacks, which inherit ENGINE from this process.
 * @throws {ConfigError} if there is no such engine.
 */
export const loadEngine = () => loadConfig({ ENGINE: process.env.ENGINE }).engine;

/** Returns the line that repeats a run, such as `ENGINE=activity npm run prove -- --quick`. */
export function toCommandLine(name: string, flags: string[]): string {
  const engine = loadEngine();
  return [...(engine === 'workflow' ? [] : [`ENGINE=${engine}`]), `npm run ${name} --`, ...flags].join(' ');
}
