import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import type { Config } from '../../config/config.ts';
import type { ApiMetrics } from '../../telemetry/metrics.ts';
import { type ApiEnvironment, requireOperator } from '../http/auth.ts';
import { safeHeaders } from '../http/safe-headers.ts';
import { headers, toHeaders } from '../problems/headers.ts';
import { noQuery, toBody, toResponses } from '../problems/openapi.ts';

const info = {
  title: 'Holdfast',
  version: '1',
  license: { name: 'MIT', identifier: 'MIT' },
  description: `Submit a task. Holdfast retries it until it succeeds or finally fails. The task survives failing upstreams,
timeouts, killed workers and killed servers.

Requests and answers are JSON. Every answer that is not a success is a problem document (RFC 9457). Its \`type\` leads
to a page that says what to do. Unknown fields and unknown or repeated query parameters are errors. Every GET supports
HEAD. Every answer has the headers
${Object.keys(safeHeaders)
  .map((name) => `\`${name}\``)
  .join(', ')}. No answer has a CORS header.`,
};

const tags = [
  { name: 'Tasks', description: 'Submit, read, list and cancel tasks' },
  { name: 'Batches', description: 'The same task many times, in one call' },
  { name: 'Policy', description: 'How often and how long Holdfast retries' },
  { name: 'Operation', description: 'For probes and monitoring' },
  { name: 'Documentation', description: 'The documentation of this API' },
];

const bearer = {
  type: 'http',
  scheme: 'bearer',
  description: 'The secret of an API key. Without `API_KEYS`, no call needs a key and no answer is a 401.',
} as const;

/** Returns the OpenAPI document of all registered routes. Adds the header `X-Request-Id`, which every answer has. */
function toDocument({ openAPIRegistry, getOpenAPI31Document }: OpenAPIHono<ApiEnvironment>) {
  openAPIRegistry.registerComponent('securitySchemes', 'bearer', bearer);
  for (const [name, component] of Object.entries(headers))
    openAPIRegistry.registerComponent(
      'headers',
      name,
      component as Parameters<typeof openAPIRegistry.registerComponent>[2],
    );
  const document = getOpenAPI31Document({
    openapi: '3.1.0',
    info,
    servers: [{ url: '/', description: 'The Holdfast that serves this document' }],
    tags,
    security: [{ bearer: [] }],
  });
  for (const operations of Object.values(document.paths ?? {}))
    for (const { responses } of Object.values(
      operations as Record<string, { responses: Record<string, { headers?: object }> }>,
    ))
      for (const response of Object.values(responses))
        response.headers = { ...response.headers, ...toHeaders('X-Request-Id') };
  return document;
}

const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'readDocument',
  tags: ['Documentation'],
  summary: 'This document',
  description: 'The API as OpenAPI 3.1, generated from the schemas that validate requests.',
  security: [],
  request: { query: noQuery },
  responses: {
    200: toBody(z.looseObject({ openapi: z.string().openapi({ example: '3.1.0' }) }), 'The document'),
    ...toResponses(),
  },
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'readMetrics',
  tags: ['Operation'],
  summary: 'The metrics of this process, for Prometheus',
  description:
    'The metrics cover only this API process. Each worker serves its own metrics. If `OPERATORS` is set, it must name the key.',
  request: { query: noQuery },
  responses: {
    200: { description: 'Samples in Prometheus’ text format', content: { 'text/plain': { schema: z.string() } } },
    ...toResponses('unauthorized', 'forbidden'),
  },
});

/**
 * Creates `GET /openapi.json`. The document depends only on the code, so it is created once, by the first request. All
 * answers share its bytes, so strangers who do not read their answers take no memory.
 */
export function createDocumentRoute(app: OpenAPIHono<ApiEnvironment>) {
  let document: Uint8Array<ArrayBuffer> | undefined;
  return new OpenAPIHono().openapi(documentRoute, (c) => {
    document ??= Buffer.from(JSON.stringify(toDocument(app)));
    // For the same reason as the files of `/docs`.
    c.header('Connection', 'close');
    // The route's type admits only `c.json`, which would make new bytes for each answer.
    return c.body(document, 200, { 'Content-Type': 'application/json' }) as never;
  });
}

/** Creates `GET /metrics`, in the text format of Prometheus. Only operators may read it: it concerns all keys. */
export function createMetricsRoute({ registry }: Pick<ApiMetrics, 'registry'>, config: Config) {
  const route = new OpenAPIHono<ApiEnvironment>();
  route.use('/metrics', requireOperator(config));
  return route.openapi(metricsRoute, async (c) =>
    c.text(await registry.metrics(), 200, { 'Content-Type': registry.contentType }),
  );
}
