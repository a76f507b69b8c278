import type { Client } from '@temporalio/client';
import { compile, type JSONSchema } from 'json-schema-to-typescript';
import { pino } from 'pino';
import { createApp } from '../../src/api/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createApiMetrics } from '../../src/metrics.ts';

type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;
type Operation = {
  operationId: string;
  summary: string;
  parameters?: { in: string; name: string; required?: boolean; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

/** The document as the API serves it, without a server: it depends on nothing but the code. */
export async function readDocument(): Promise<Document> {
  const log = pino({ level: 'silent' });
  const app = createApp({ client: {} as Client, config: loadConfig({}), log, metrics: createApiMetrics() });
  const answer = await app.request('/openapi.json', { headers: { host: 'localhost' } });
  return (await answer.json()) as Document;
}

const toObject = (properties: Record<string, Schema>, required: string[]) => ({ type: 'object', properties, required });

/** What an operation takes and, where it succeeds, gives; what is no JSON is left out. */
function toOperation({ summary, parameters = [], requestBody, responses }: Operation): Schema | undefined {
  const query = parameters.filter((parameter) => parameter.in === 'query');
  const needed = query.filter(({ required }) => required).map(({ name }) => name);
  const schemas = Object.fromEntries(query.map(({ name, schema }) => [name, schema]));
  const input = requestBody?.content['application/json']?.schema;
  const success = Object.keys(responses).find((status) => status.startsWith('2')) ?? '';
  const output = responses[success]?.content?.['application/json']?.schema;
  const parts = {
    ...(query.length > 0 && { query: toObject(schemas, needed) }),
    ...(input && { input }),
    ...(output && { output }),
  };
  if (Object.keys(parts).length === 0) return undefined;
  return { description: summary, ...toObject(parts, Object.keys(parts)) };
}

/** The types of an OpenAPI 3.1 document: every component by its name, and `Operations` by their ids. */
export async function toTypes({ paths, components }: Document): Promise<string> {
  const operations = Object.values(paths).flatMap((item) => Object.values(item));
  const byId = Object.fromEntries(
    operations.flatMap((operation) => {
      const schema = toOperation(operation);
      return schema ? [[operation.operationId, schema]] : [];
    }),
  );
  const schema = { ...toObject(byId, Object.keys(byId)), $defs: components.schemas };
  const text = JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/');
  return await compile(JSON.parse(text) as JSONSchema, 'Operations', {
    additionalProperties: false,
    bannerComment:
      '// Made by `npm run generate:types` from the document of GET /openapi.json; a test holds the two together.',
    style: { singleQuote: true, printWidth: 120 },
    unreachableDefinitions: true,
  });
}
