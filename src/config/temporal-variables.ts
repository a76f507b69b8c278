import { loadClientConnectConfig } from '@temporalio/envconfig';

/** If a file cannot be read, returns the variable that holds its path. Returns `TEMPORAL_*` for any other error. */
function toVariable(env: NodeJS.ProcessEnv, error: unknown): string {
  const { path } = error as NodeJS.ErrnoException;
  const names = Object.keys(env).filter((name) => name.startsWith('TEMPORAL_'));
  return names.find((name) => path !== undefined && env[name] === path) ?? 'TEMPORAL_*';
}

/** Returns the connection settings from `TEMPORAL_*` and from Temporal's configuration file, or the fault. */
export function parseTemporal(env: NodeJS.ProcessEnv) {
  try {
    return { temporal: loadClientConnectConfig({ overrideEnvVars: env as Record<string, string> }), faults: [] };
  } catch (error) {
    // Keep only the first line. In a TOML error, later lines quote the file, which may contain an API key.
    const [fault] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { temporal: undefined, faults: [{ variable: toVariable(env, error), message: `cannot be read: ${fault}` }] };
  }
}
