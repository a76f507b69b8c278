import { z } from '@hono/zod-openapi';
import { type HeaderName, rateLimitHeaders, toHeaders } from './headers.ts';
import { type ProblemSlug, problemSlugs, problems } from './problems.ts';

/** The query schema of routes without query parameters: any such parameter is an error. */
export const noQuery = z.strictObject({});

/** Every call can have the problems of `anyCall`. The other lists are for POSTs, submissions and calls with a body. */
const anyCall = [
  'bad-request',
  'method-not-allowed',
  'request-timeout',
  'body-too-large',
  'uri-too-long',
  'misdirected-request',
  'headers-too-large',
  'internal-error',
] as const;
export const anyPost = ['forbidden'] as const;
export const anySubmission = ['rate-limited', 'overloaded'] as const;
export const anyBody = ['unsupported-media-type', 'invalid-input'] as const;

/** Returns a union of the schemas, or a single schema as it is: Zod documents a union of one as a needless `anyOf`. */
export const toUnion = <T extends z.ZodType>([first, ...rest]: T[]) =>
  first && rest.length === 0 ? first : z.union([first as T, ...rest]);

/** Returns an OpenAPI response with a JSON body. */
export const toBody = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

const fault = z.strictObject({
  pointer: z.string().openapi({ description: 'A JSON pointer (RFC 6901) in its fragment form', example: '#/category' }),
  detail: z.string(),
});

function toSchema(slug: ProblemSlug) {
  const { status, title, description, retryable, errors, outcomes = [] } = problems[slug];
  const outcome = z.enum(outcomes).describe('Whether this call may have started a task or batch');
  const name = slug.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  return z
    .strictObject({
      type: z.literal(`/problems/${slug}`),
      title: z.literal(title),
      status: z.literal(status),
      detail: z.string().describe('What is wrong with this request'),
      instance: z.string().describe('The path of the call').openapi({ example: '/tasks' }),
      ...(retryable && { retryable: z.literal(true).describe('The same request may succeed later') }),
      ...(outcomes.length > 0 && { outcome: outcome.optional() }),
      ...(errors && { errors: z.array(fault).optional() }),
    })
    .describe(description)
    .openapi(`${name}Problem`);
}

const schemas = new Map(problemSlugs.map((slug) => [slug, toSchema(slug)]));

/** Returns the OpenAPI responses, by status, for the problems in `slugs` and for the problems of every call. */
export function toResponses(...slugs: ProblemSlug[]) {
  const all = [...anyCall, ...slugs];
  const toResponse = (status: number) => {
    const ofStatus = all.filter((slug) => problems[slug].status === status);
    const names = ofStatus.flatMap((slug) => Object.keys(problems[slug].headers ?? {}) as HeaderName[]);
    return {
      description: ofStatus.map((slug) => problems[slug].title).join('; or: '),
      headers: toHeaders(...names, ...(slugs.includes('idempotency-mismatch') ? rateLimitHeaders : [])),
      content: { 'application/problem+json': { schema: toUnion(ofStatus.flatMap((slug) => schemas.get(slug) ?? [])) } },
    };
  };
  return Object.fromEntries(all.map((slug) => [problems[slug].status, toResponse(problems[slug].status)]));
}
