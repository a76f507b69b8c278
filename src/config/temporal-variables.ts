import { loadClientConnectConfig } from '@temporalio/envconfig';

/** Returns the variable that holds the path of a file that cannot be read, or `TEMPORAL_*` for any other error. */
function toVariable(env: NodeJS.ProcessEnv, error: unknown): string {
  const { path } = error as NodeJS.ErrnoException;
  const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return names.find((name) => path !== undefined && env[name] === path) ?? 'TEMPORAL_*';
}

/** Returns what Temporal's variables and configuration file say about its server, or the fault. */
export function parseTemporal(env: NodeJS.ProcessEnv) {
  try {
    return { temporal: loadClientConnectConfig({ overrideEnvVars: env as Record<string, string> }), faults: [] };
  } catch (error) {
    // Only the first line: the lines after a TOML error quote the file, which may hold an API key.
    const [fault] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { temporal: undefined, faults: [{ variable: toVariable(env, error), message: `cannot be read: ${fault}` }] };
  }
}
