import type { AttemptOptions } from '../../tasks.ts';
import { toAttemptFailure } from '../failure.ts';

/** Creates a worker interceptor that fails an attempt, without a retry, if its output exceeds `maximumOutputBytes`. */
export const limitOutput = () => ({
  inbound: {
    async execute<I extends { args: unknown[] }, O>(input: I, next: (input: I) => Promise<O>): Promise<O> {
      const output = await next(input);
      const { maximumOutputBytes } = (input.args[1] ?? {}) as Partial<AttemptOptions>;
      if (maximumOutputBytes === undefined) return output;
      const bytes = Buffer.byteLength(JSON.stringify(output) ?? '');
      if (bytes <= maximumOutputBytes) return output;
      throw toAttemptFailure(
        'ResponseTooLarge',
        `The output has ${bytes} bytes; the maximum for an item of a batch is ${maximumOutputBytes}`,
      );
    },
  },
});
