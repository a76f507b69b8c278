const secrets = /^(API_KEYS|HOLDFAST_API_KEY|TEMPORAL_API_KEY|TEMPORAL_TLS_CLIENT_KEY_DATA|TEMPORAL_GRPC_META_.*)$/;

/**
 * Returns a copy of the environment of this process, and removes the secrets from `process.env`. A child then inherits
 * a secret only if its start passes it on.
 */
export function takeEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) if (secrets.test(name)) delete process.env[name];
  return environment;
}

const basics =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_\w+|MALLOC_\w+|XDG_\w+|NODE_(OPTIONS|PATH|ENV|EXTRA_CA_CERTS)|(DY)?LD_\w+|GO(GC|DEBUG|MAXPROCS|MEMLIMIT)|_)$/;

/** Returns the variables for a program that reads no setting of Holdfast. None of them is a secret. */
export const toBasicEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => basics.test(name)));
