import type { Environment } from '../../src/config/config.ts';
import { type Stack, type StackOptions, startStack } from './start-stack.ts';

/** Runs `work` against a fresh stack and returns its result. Stops the stack even if `work` throws. */
export async function withStack<T>(options: StackOptions, variables: Environment, work: (stack: Stack) => Promise<T>) {
  const stack = await startStack({ ...options, environment: { LOG_LEVEL: 'warn', ...variables } });
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}
