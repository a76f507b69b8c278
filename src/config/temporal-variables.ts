import { loadClientConnectConfig } from '@temporalio/envconfig';

/** The variables that only `@temporalio/envconfig` reads. */
export const temporalVariables = [
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_CERT_DATA',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  'TEMPORAL_TLS_SERVER_CA_CERT_DATA',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_PROFILE',
  'TEMPORAL_CONFIG_FILE',
];

/** If the error is about a file, returns the variable that holds the file's path. Otherwise returns `TEMPORAL_*`. */
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
    // Keep only the message's first line. In a TOML error, later lines quote the file, which may contain an API key.
    const [fault] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { temporal: undefined, faults: [{ variable: toVariable(env, error), message: `cannot be read: ${fault}` }] };
  }
}
