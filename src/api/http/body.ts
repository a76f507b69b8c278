import type { Context } from 'hono';
import { z } from 'zod';
import { Problem, toValidationProblem } from '../problems/problem.ts';
import { mayHaveBody, toCutShort } from './edge.ts';

const maximumDepth = 64;

/** What a call without input takes: no body, or an empty object. */
export const noInput = z.strictObject({});

/**
 * The request's JSON body as it was received; no body at all is `{}`, whatever the content type says.
 * @throws {Problem} 415 for another content type or an encoded body, 400 for what is not JSON in UTF-8. The size limit
 *   stands before this, in `app.ts`.
 */
export async function readBody(c: Context): Promise<unknown> {
  const bytes = mayHaveBody(c) ? await c.req.arrayBuffer().catch(throwCutShort) : new ArrayBuffer(0);
  if (bytes.byteLength === 0) return {};
  requireJson(c);
  return parseJson(bytes);
}

/** @throws {Problem} 422 for a body that does not fit the schema. */
export function toInput<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw toValidationProblem('invalid-input', parsed.error);
  return parsed.data;
}

function throwCutShort(): never {
  throw toCutShort();
}

function requireJson(c: Context): void {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new Problem('unsupported-media-type', 'Send the body as Content-Type: application/json');
  if ((c.req.header('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('unsupported-media-type', 'Send the body without Content-Encoding');
  }
}

function parseJson(bytes: ArrayBuffer): unknown {
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    requireShallow(value, maximumDepth);
    return value;
  } catch {
    throw new Problem('bad-request', `The body is not JSON in UTF-8, or nested deeper than ${maximumDepth}`);
  }
}

function requireShallow(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) throw new RangeError('too deep');
  for (const member of Object.values(value)) requireShallow(member, depth - 1);
}
