import { z } from 'zod';
import { safeHeaders } from '../../src/api/http/safe-headers.ts';

export type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;
type HeaderObject = { required?: boolean; schema: Schema };
type HeaderMap = Record<string, HeaderObject | { $ref: string }>;
export type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  security?: unknown[];
  requestBody?: { content: Content };
  /** `content` is missing for answers without a body. */
  responses: Record<string, { description: string; headers: HeaderMap; content?: Content }>;
};
export type Document = {
  openapi: string;
  info: { title: string; version: string };
  security: unknown[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    headers: Record<string, HeaderObject>;
    securitySchemes: Record<string, unknown>;
  };
};

export type Exchange = { method: string; path: string; status: number; headers: Headers; text: string };

/** HTTP's own headers and the ones on every answer. The document must name all others. */
const commonHeaders = [
  ...['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'transfer-encoding'],
  ...Object.keys(safeHeaders).map((name) => name.toLowerCase()),
];

/** The statuses that a call outside the documented operations may get: problems that are raised before any route. */
const strayStatuses = [400, 401, 403, 404, 405, 408, 413, 414, 421, 431, 500];

/** JSON Schema counts characters, but zod's `maxLength` counts UTF-16 code units. A pattern gives the exact bound. */
const toLengthPattern = (maxLength: unknown) => ({
  type: 'string',
  pattern: `^(?:[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]|[^\\uD800-\\uDFFF]){0,${maxLength}}$`,
});

/** Forbids undocumented fields: in our own answers they are faults, although clients should ignore them. */
function forbidUnknownFields(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(forbidUnknownFields);
  const { maxLength, ...closed } = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, forbidUnknownFields(value)]),
  );
  if (maxLength !== undefined) return { allOf: [closed, toLengthPattern(maxLength)] };
  return 'properties' in closed ? { additionalProperties: false, ...closed } : closed;
}

/** Checks the API's answers against its OpenAPI document: operation, status, headers, content type and body. */
export function createContract(document: Document) {
  const { schemas, headers: headerComponents } = document.components;
  const parsers = new Map<Schema, z.ZodType>();
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
  }));

  /** Makes a parser from a documented schema. References resolve to the document's components. */
  function toParser(schema: Schema): z.ZodType {
    const text = JSON.stringify(forbidUnknownFields({ ...schema, $defs: schemas })).replaceAll(
      '#/components/schemas/',
      '#/$defs/',
    );
    const parser = parsers.get(schema) ?? z.fromJSONSchema(JSON.parse(text));
    parsers.set(schema, parser);
    return parser;
  }

  function findOperation(method: string, path: string): Operation | undefined {
    const found = templates.filter(({ pattern }) => pattern.test(path));
    const name = method === 'HEAD' ? 'get' : method.toLowerCase();
    const items = found.sort((a, b) => a.template.split('{').length - b.template.split('{').length);
    return items.map(({ template }) => document.paths[template]?.[name]).find((operation) => operation !== undefined);
  }

  /** Returns the documented answer of the operation, or the problem that a call outside all operations may get. */
  function findAnswer({
    method,
    path,
    status,
    text,
  }: Exchange): Pick<Operation['responses'][string], 'headers' | 'content'> | undefined {
    const operation = findOperation(method, path.split('?')[0] ?? '');
    if (operation) return operation.responses[status];
    if (!strayStatuses.includes(status)) return undefined;
    const slug = /^\/problems\/([a-z-]+)$/.exec(JSON.parse(text || '{}').type)?.[1] ?? '';
    const name = `${slug.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}Problem`;
    const own = { 401: 'WWW-Authenticate', 405: 'Allow' }[status];
    const headers = Object.fromEntries(
      ['X-Request-Id', ...(own ? [own] : [])].map((header) => [header, { $ref: `#/components/headers/${header}` }]),
    );
    const schema = { $ref: `#/components/schemas/${name}` };
    return { headers, content: { 'application/problem+json': { schema } } };
  }

  function toHeaderFaults(documented: HeaderMap, headers: Headers): string[] {
    const known = [...commonHeaders, ...Object.keys(documented).map((name) => name.toLowerCase())];
    const unknown = [...headers.keys()].filter((name) => !known.includes(name)).map((name) => `has ${name}`);
    const wrong = Object.entries(documented).flatMap(([name, header]) => {
      const component = '$ref' in header ? headerComponents[header.$ref.split('/').at(-1) ?? ''] : header;
      const value = headers.get(name);
      if (!component || (value === null && component.required)) return [`lacks ${name}`];
      if (value === null) return [];
      const parsed = component.schema.type === 'integer' ? Number(value) : value;
      return toParser(component.schema).safeParse(parsed).success ? [] : [`has ${name}: ${value}`];
    });
    return [...unknown, ...wrong];
  }

  return {
    toParser,
    /** @throws for an answer that is not documented. The message names every difference. */
    check(exchange: Exchange): void {
      const { method, path, status, headers, text } = exchange;
      const fail = (what: string): never => {
        throw new Error(`Undocumented: ${method} ${path} ${status} ${what}: ${text.slice(0, 500)}`);
      };
      const documented = findAnswer(exchange) ?? fail('is no answer of it');
      const faults = toHeaderFaults(documented.headers, headers);
      if (faults.length > 0) fail(faults.join(', '));
      const [type = ''] = (headers.get('content-type') ?? '').split(';');
      if (!documented.content && type === '' && text === '') return;
      const schema = documented.content?.[type]?.schema ?? fail(`as ${type || 'nothing'}`);
      if (method === 'HEAD') return;
      const { error } = toParser(schema).safeParse(type.endsWith('json') ? JSON.parse(text) : text);
      if (error) fail(z.prettifyError(error));
    },
  };
}

export type Contract = ReturnType<typeof createContract>;
