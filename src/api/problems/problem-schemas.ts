import { z } from '@hono/zod-openapi';
import { type ProblemSlug, problems } from './problem.ts';
import { problemTexts } from './problem-texts.ts';

/** Which problems point at single faults, and which may stand for a call that has started something, which never do. */
const pointing: ProblemSlug[] = ['bad-request', 'invalid-input'];
const unsure: ProblemSlug[] = ['internal-error', 'temporal-unavailable'];
const refusing: ProblemSlug[] = ['rate-limited', 'overloaded'];

const fault = z.strictObject({
  pointer: z.string().openapi({ description: 'A JSON pointer (RFC 6901) in its fragment form', example: '#/category' }),
  detail: z.string(),
});

function createSchema(slug: ProblemSlug) {
  const { status, title, ...rest } = problems[slug];
  const name = slug.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return z
    .strictObject({
      type: z.literal(`/problems/${slug}`),
      title: z.literal(title),
      status: z.literal(status),
      detail: z.string().describe('What is wrong with this request'),
      instance: z.string().describe('The path of the call').openapi({ example: '/tasks' }),
      ...('retryable' in rest && { retryable: z.literal(true).describe('The same request may succeed later') }),
      ...(unsure.includes(slug) && {
        outcome: z.enum(['not-started', 'unknown']).optional().describe('What became of a call that starts something'),
      }),
      ...(refusing.includes(slug) && { outcome: z.literal('not-started') }),
      ...(pointing.includes(slug) && { errors: z.array(fault).optional() }),
    })
    .describe(problemTexts[slug])
    .openapi(`${name}Problem`);
}

const schemas = new Map((Object.keys(problems) as ProblemSlug[]).map((slug) => [slug, createSchema(slug)]));

/** What a problem answer looks like that has one of these types. */
export function toProblemSchema(slugs: ProblemSlug[]): z.ZodType {
  const [first, second, ...rest] = slugs.map((slug) => schemas.get(slug) as z.ZodType);
  return second ? z.union([first as z.ZodType, second, ...rest]) : (first as z.ZodType);
}
