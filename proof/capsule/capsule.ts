import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SetupError } from '../../cli/setup-error.ts';
import { type Past, readHistory } from './read-history.ts';

const joke = z.strictObject({ id: z.string(), value: z.string(), url: z.string() });

const answer = z.strictObject({
  attempt: z.int().min(1),
  /** The HTTP status, or null if the upstream sent none. */
  status: z.int().min(100).max(599).nullable(),
  outcome: z.enum(['open', 'answered', 'cut-short', 'reset', 'hung', 'client-gone', 'closed']),
  joke: joke.optional(),
  source: z.enum(['ledger', 'history']),
});

export const capsuleSchema = z.strictObject({
  version: z.literal(1),
  taskId: z.string().min(1),
  savedAt: z.iso.datetime(),
  history: z.looseObject({ events: z.array(z.looseObject({})).min(1) }),
  answers: z.array(answer),
});

export type Capsule = z.infer<typeof capsuleSchema>;
export type Answer = z.infer<typeof answer>;

/** Returns a task's number of attempts. The answers count too, as the history of an open task contains no attempts. */
export const countAttempts = ({ answers }: Capsule, past: Past) =>
  Math.max(past.attempts, ...answers.map(({ attempt }) => attempt));

/**
 * Loads a saved capsule. Returns the capsule and what its history says about the attempts.
 * @throws {SetupError} for a file that cannot be read or is not a capsule.
 */
export function loadCapsule(file: string) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SetupError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}): name a file that exists.`);
  }
  try {
    const capsule = capsuleSchema.parse(JSON.parse(text));
    const past = readHistory(capsule.history);
    if (capsule.answers.length > 0 && !past.activity) throw new SyntaxError('Answers without an activity');
    return { capsule, past };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new SetupError(`${file} is not a capsule: npm run capsule -- <task id> saves one.`);
  }
}
