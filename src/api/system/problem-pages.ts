import { createHash } from 'node:crypto';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import { html, raw } from 'hono/html';
import { toHeaders } from '../problems/headers.ts';
import { noQuery, toResponses } from '../problems/openapi.ts';
import { Problem } from '../problems/problem.ts';
import { type ProblemSlug, problemSlugs, problems } from '../problems/problems.ts';

const typeSchema = z
  .strictObject({
    type: z.string().openapi({ example: '/problems/not-found' }),
    title: z.string(),
    status: z.int(),
    description: z.string().describe('What the problem means and what to do'),
    retryable: z.boolean().describe('Whether the same request may succeed later'),
  })
  .openapi('ProblemType');

function describe(slug: ProblemSlug): z.infer<typeof typeSchema> {
  const { status, title, description, retryable = false } = problems[slug];
  return { type: `/problems/${slug}`, title, status, description, retryable };
}

const toRoute = (path: string, operationId: string, schema: z.ZodType) => ({
  method: 'get' as const,
  path,
  operationId,
  tags: ['Documentation'],
  description: 'Browsers (`Accept: text/html`) get a page, and other clients get JSON. This call needs no API key.',
  security: [],
  responses: {
    200: {
      description: 'What the problem means and what to do',
      headers: toHeaders('Vary'),
      content: { 'application/json': { schema }, 'text/html': { schema: z.string() } },
    },
  },
});

const list = toRoute('/problems', 'listProblemTypes', z.strictObject({ items: z.array(typeSchema) }));
const listRoute = createRoute({
  ...list,
  summary: 'All problems that this API answers with',
  request: { query: noQuery },
  responses: { ...list.responses, ...toResponses() },
});
const read = toRoute('/problems/{slug}', 'readProblemType', typeSchema);
const readRoute = createRoute({
  ...read,
  summary: 'What a problem means: the `type` of the problem leads here',
  request: { params: z.object({ slug: z.string().openapi({ example: 'not-found' }) }), query: noQuery },
  responses: { ...read.responses, ...toResponses('not-found') },
});

const style = 'body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}';
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Shows text between backquotes as code. */
const toText = (text: string) => text.split('`').map((part, index) => (index % 2 ? html`<code>${part}</code>` : part));

const toSection = ({ type, title, status, description, retryable }: ReturnType<typeof describe>) => html`
<h2><a href="${type}">${title}</a></h2>
<p><code>${type}</code>, status ${status}. ${retryable ? 'The same request may succeed later.' : 'The same request fails again.'}</p>
<p>${toText(description)}</p>`;

/** Answers a browser with a page and any other client with JSON. */
function answer(c: Context, title: string, types: ReturnType<typeof describe>[], json: object) {
  c.header('Vary', 'Accept');
  const supports = ['application/json', 'text/html'];
  const type = accepts(c, { header: 'Accept', supports, default: 'application/json' });
  if (type !== 'text/html') return c.json(json, 200);
  c.header('Content-Security-Policy', contentSecurityPolicy);
  return c.html(html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Holdfast</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
<h1>${title}</h1>
${types.map(toSection)}
<p><a href="/problems">Every problem</a> · <a href="/docs">The API</a></p>
</html>
`);
}

/** Creates the pages that the `type` of each problem leads to (RFC 9457 section 3.1.1). */
export const createProblemRoutes = () =>
  new OpenAPIHono()
    .openapi(listRoute, (c) => {
      const items = problemSlugs.map(describe);
      return answer(c, 'Problems', items, { items });
    })
    .openapi(readRoute, (c) => {
      const slug = problemSlugs.find((known) => known === c.req.valid('param').slug);
      if (!slug) throw new Problem('not-found', 'There is no problem of this name');
      const type = describe(slug);
      return answer(c, type.title, [type], type);
    });
