import { z } from 'zod';

/** Returns the schema of a text with 1 to `max` Unicode code points, without NUL or lone surrogates. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .refine((value) => [...value].length <= max, `must be at most ${max} characters long`)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed Unicode without NUL')
    .meta({ maxLength: max, pattern: '^[^\\u0000]*$' });

/** The catalogue of all tasks. Each key is the task's URL segment, its workflow type and its activity type. */
export const tasks = {
  'fetch-joke': {
    summary: 'Fetch a random joke from the upstream',
    input: z.strictObject({
      category: text(64)
        .optional()
        .describe('Only jokes of this category')
        .meta({ examples: ['dev'] }),
    }),
    output: z.object({ id: z.string(), joke: z.string(), url: z.string() }),
  },
} as const satisfies Record<string, { summary: string; input: z.ZodType; output: z.ZodType }>;

export type TaskName = keyof typeof tasks;
export type TaskInput<N extends TaskName = TaskName> = z.infer<(typeof tasks)[N]['input']>;
export type TaskOutput<N extends TaskName = TaskName> = z.infer<(typeof tasks)[N]['output']>;

/** The W3C Trace Context of the submission. Attempts send it to the upstream unchanged. */
export type TraceContext = { traceparent?: string; tracestate?: string };

/** Options of an attempt that are not part of Temporal's activity options. */
export type AttemptOptions = {
  jitter: number;
  /** The maximum size of the output as JSON, in bytes. Only an item of a batch has one. */
  maximumOutputBytes?: number;
  /** The number of attempts that an item of a batch made in a slice, before this activity. */
  attemptsBefore?: number;
} & TraceContext;

/** The activity of each task, under the task's name. The compiler checks `activities/index.ts` against this type. */
export type TaskActivities = {
  [N in TaskName]: (input: TaskInput<N>, options: AttemptOptions) => Promise<TaskOutput<N>>;
};

export const taskNames = Object.keys(tasks) as [TaskName, ...TaskName[]];
