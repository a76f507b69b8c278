import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { noQuery, toResponses } from '../problems/openapi.ts';

/** Everything comes from here. Swagger UI draws its icons from `data:` and sets styles from its script, which needs no permission. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
<main id="docs"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

/** Without a validator: it would be asked over the internet. */
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;

/** On a telephone the table of answers is wider than the page. */
const style = `body { margin: 0 }
.responses-inner { overflow-x: auto }
`;

const toPackageFile = (name: string) => createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);

const files = {
  '': { type: 'text/html', summary: 'A page to read and try this API', read: async () => page },
  '/start.js': { type: 'text/javascript', summary: 'What starts that page', read: async () => start },
  '/page.css': { type: 'text/css', summary: 'What that page adds to its style', read: async () => style },
  '/swagger-ui-bundle.js': { type: 'text/javascript', summary: 'The script of that page', read: readPackageFile },
  '/swagger-ui.css': { type: 'text/css', summary: 'The style of that page', read: readPackageFile },
};

function readPackageFile(name: string): Promise<string> {
  return readFile(toPackageFile(name.slice(1)), 'utf8');
}

/** `/docs`: Swagger UI from the package, and nothing from anywhere else. */
export function createDocsRoutes() {
  const app = new OpenAPIHono();
  for (const [name, { type, summary, read }] of Object.entries(files)) {
    const route = createRoute({
      method: 'get',
      path: `/docs${name}`,
      operationId: `readDocs${name.replace(/\W(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      tags: ['Documentation'],
      summary,
      description: 'For browsers. It needs no key; the calls that it makes for you do, where this Holdfast has keys.',
      security: [],
      request: { query: noQuery },
      responses: {
        200: { description: 'The file', content: { [type]: { schema: z.string() } } },
        ...toResponses(),
      },
    });
    app.openapi(route, async (c) => {
      c.header('Content-Security-Policy', contentSecurityPolicy);
      return c.body(await read(name), 200, { 'Content-Type': `${type}; charset=utf-8` });
    });
  }
  return app;
}
