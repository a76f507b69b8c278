import { z } from 'zod';

/** Text that Temporal, logs and terminals can carry: Unicode without NUL or lone surrogates, `max` code points at most. */
const text = (max: number) =>
  z
    .string()
    .min(1)
    .refine((value) => [...value].length <= max, `must be at most ${max} characters long`)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed Unicode without NUL')
    .meta({ maxLength: max, pattern: '^[^\\u0000]*$' });

/** The catalogue: every task Holdfast runs. The key is the URL segment, the workflow type and the activity type. */
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

/** The trace of the submission (W3C Trace Context), passed on to the upstream as it came. */
export type TraceContext = { traceparent?: string; tracestate?: string };

/** What travels beside the input because Temporal's activity options cannot carry it. */
export type AttemptOptions = {
  jitter: number;
  /** Of a batch's item: the output's size as JSON. */
  maximumOutputBytes?: number;
} & TraceContext;

/** One activity per task, of the same name; the compiler checks the register in `activities/index.ts` against it. */
export type TaskActivities = {
  [N in TaskName]: (input: TaskInput<N>, options: AttemptOptions) => Promise<TaskOutput<N>>;
};

export const taskNames = Object.keys(tasks) as [TaskName, ...TaskName[]];
