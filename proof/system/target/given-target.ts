import { createHoldfastClient, type HoldfastClient } from '../../../cli/client/holdfast-client.ts';
import { type Target as Named, toKeyFault, toTarget } from '../../../cli/client/target.ts';
import { SetupError } from '../../../cli/setup-error.ts';
import { createJokeApiClient } from '../../../local/joke-api/joke-api-client.ts';
import type { StackOptions } from '../../../local/stack/start-stack.ts';
import { withStack } from '../../../local/stack/with-stack.ts';
import { type Config, loadConfig, loadEnvironment } from '../../../src/config/config.ts';
import type { RetryPlan } from '../../../src/planner/retry-plan.ts';
import { type Policy, policySchema } from '../../../src/policy.ts';
import { policyParameters, toPolicyFields } from '../../../src/policy-parameters.ts';
import { createRecorder } from '../recorder.ts';
import { findListener } from '../sockets.ts';
import { withProbedStack } from './own-target.ts';
import type { Target } from './target.ts';

type Options = { tasks: number; url: string; jokeApiUrl: string | undefined };

const isHere = (hostname: string) => ['localhost', '127.0.0.1', '[::1]'].includes(hostname);

/** Returns the policy of the running API, from its own `/retry-plan`. */
async function readPolicy(holdfast: HoldfastClient, target: Named): Promise<Policy> {
  const plan = await holdfast.call<RetryPlan>('GET', '/retry-plan').catch((error) => {
    throw toKeyFault(error, target);
  });
  const { nonRetryableErrors: nonRetryableErrorTypes, heartbeatTimeout, ...parameters } = plan.policy;
  // Only the default heartbeat timeout can be below the minimum. `policySchema` refuses such a value as an input, but
  // sets the default itself if the field is missing. So the field is left out.
  const isDefault = heartbeatTimeout < policyParameters.heartbeatTimeout.minimum;
  const fields = toPolicyFields(isDefault ? parameters : { ...parameters, heartbeatTimeout });
  const read = policySchema.safeParse({ ...fields, nonRetryableErrorTypes });
  if (!read.success) throw new SetupError(`${holdfast.url} has a policy that this version does not know.`);
  return read.data;
}

/**
 * Returns a running Holdfast as the target. Its policy comes from its API. The number of slots and Temporal's port
 * come from this environment, so run the command where Holdfast's `.env` is. Checks that read a process's memory or
 * change settings use their own stack.
 * @throws {SetupError} if `url` does not lead to a Holdfast, or `jokeApiUrl` does not lead to a joke API.
 */
export async function toGivenTarget(
  options: StackOptions,
  { tasks, url: given, jokeApiUrl }: Options,
): Promise<Target> {
  const { signal } = options;
  const environment = loadEnvironment();
  const { workerConcurrency, workers, temporal }: Config = loadConfig(environment);
  const named = toTarget(environment, given);
  const holdfast = createHoldfastClient({ ...named, signal });
  const jokeApi = jokeApiUrl === undefined ? undefined : createJokeApiClient({ url: jokeApiUrl, signal });
  await holdfast.requireHoldfast();
  await jokeApi?.requireJokeApi();
  const { hostname, port, protocol } = new URL(named.url);
  return {
    tasks,
    record: createRecorder(),
    holdfast,
    jokeApi,
    policy: await readPolicy(holdfast, named),
    slots: workerConcurrency * workers,
    temporalPort: Number(temporal.address.split(':').at(-1)),
    findApiPid: () => (isHere(hostname) ? findListener(Number(port || (protocol === 'https:' ? 443 : 80))) : undefined),
    withProbedStack: (check) => withProbedStack(options, {}, check),
    withOwnStack: (own, check) => withStack(options, own, check),
  };
}
