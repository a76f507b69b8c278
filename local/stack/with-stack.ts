import { type Stack, startStack } from './start-stack.ts';

export type StackOptions = Omit<Parameters<typeof startStack>[0], 'environment'>;

/** Runs `work` against a fresh stack, and stops it whatever happens. */
export async function withStack<T>(
  options: StackOptions,
  environment: Record<string, string>,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const stack = await startStack({ ...options, environment: { LOG_LEVEL: 'warn', ...environment } });
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}
