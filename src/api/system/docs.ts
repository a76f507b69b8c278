import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { toQuery } from '../http/query.ts';
import { noQuery, toResponses } from '../problems/openapi.ts';

/** The page loads only files of this server and `data:` icons. Styles that a script sets need no 'unsafe-inline'. */
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

/** `validatorUrl` is null because Swagger UI's default validator is a service on the internet. */
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
`;

/** The table of answers scrolls, because it is wider than the screen of a phone. */
const style = `body { margin: 0 }
.responses-inner { overflow-x: auto }
`;

/** Reads a file at the first call. All answers share its bytes: strangers who do not read them take no memory. */
function readPackageFile(name: string) {
  let bytes: Promise<Buffer<ArrayBuffer>> | undefined;
  return () => {
    bytes ??= readFile(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`));
    return bytes;
  };
}

const files: Record<string, { type: string; read: () => Promise<string | Uint8Array<ArrayBuffer>> }> = {
  'start.js': { type: 'text/javascript', read: async () => start },
  'page.css': { type: 'text/css', read: async () => style },
  'swagger-ui-bundle.js': { type: 'text/javascript', read: readPackageFile('swagger-ui-bundle.js') },
  'swagger-ui.css': { type: 'text/css', read: readPackageFile('swagger-ui.css') },
};

const route = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'readDocs',
  tags: ['Documentation'],
  summary: 'A page to read and try this API',
  description: 'The page itself needs no API key. Calls that you make from it need one if this Holdfast has API keys.',
  security: [],
  request: { query: noQuery },
  responses: { 200: { description: 'The page', content: { 'text/html': { schema: z.string() } } }, ...toResponses() },
});

/**
 * Creates `GET /docs`, a page with Swagger UI, and its files. The OpenAPI document does not list these files. A file
 * closes its connection: in a measurement, 200 strangers who asked for a large answer again and again on the same
 * connections kept each new connection waiting for seconds.
 */
export function createDocsRoutes() {
  const app = new OpenAPIHono();
  app.openapi(route, (c) => {
    c.header('Content-Security-Policy', contentSecurityPolicy);
    return c.html(page);
  });
  for (const [name, { type, read }] of Object.entries(files)) {
    app.get(`/docs/${name}`, async (c) => {
      toQuery(noQuery, c.req.queries());
      c.header('Content-Security-Policy', contentSecurityPolicy);
      c.header('Connection', 'close');
      return c.body(await read(), 200, { 'Content-Type': `${type}; charset=utf-8` });
    });
  }
  return app;
}
