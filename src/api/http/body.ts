import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { createMiddleware } from 'hono/factory';
import { z } from 'zod';
import type { Shares } from '../../temporal/shares.ts';
import { Problem, toValidationProblem } from '../problems/problem.ts';
import type { ApiEnvironment } from './auth.ts';
import { mayHaveBody, toDeclaredBytes } from './node-request.ts';

const maximumDepth = 64;

/** The schema of an operation without input: the request has no body, or an empty object. */
export const noInput = z.strictObject({});

/**
 * Answers 413 to a body over `maxSize` bytes. The size of a chunked body is unknown until the body has been
 * read, so this middleware reads it. If the body ends too early, the answer is 400.
 *
 * `bodies` limits the bytes in memory. A body counts there until its request is answered. While a chunked body arrives,
 * it counts as `maxSize` bytes. If there is no room for a body, the answer is 503.
 */
export function limitBody(maxSize: number, bodies: Shares) {
  const limit = bodyLimit({
    maxSize,
    onError: () => {
      throw new Problem('body-too-large', `A body has at most ${maxSize} bytes here`);
    },
  });
  return createMiddleware<ApiEnvironment>(async (c, next) => {
    if (!mayHaveBody(c)) return next();
    const { owner } = c.var;
    const declared = toDeclaredBytes(c);
    let bytes = Math.min(declared ?? maxSize, maxSize);
    if (!bodies.take(owner, bytes)) {
      const why = bodies.explain(owner, 'bytes of request bodies are in memory');
      throw new Problem('overloaded', `${why}; try again`);
    }
    const nextWithSize = async () => {
      if (declared === undefined) {
        const { byteLength } = await c.req.arrayBuffer();
        bodies.release(owner, bytes - byteLength);
        bytes = byteLength;
      }
      await next();
    };
    try {
      return await limit(c, nextWithSize);
    } catch (error) {
      throw error instanceof Problem ? error : toCutShort();
    } finally {
      bodies.release(owner, bytes);
    }
  });
}

/** The client closed the connection before the body was complete, so only the log and the metrics see this answer. */
const toCutShort = () => new Problem('bad-request', 'The body ended before it was complete');

/**
 * Returns the JSON body as it was received, or `{}` if there is none. Without a body, any content type is accepted.
 * @throws {Problem} 415 for an encoded body or a content type other than JSON; 400 for a body that is incomplete, is
 *   not JSON in UTF-8 or is nested deeper than 64 levels.
 */
export async function readBody(c: Context): Promise<unknown> {
  if (!mayHaveBody(c)) return {};
  const bytes = await c.req.arrayBuffer().catch(() => {
    throw toCutShort();
  });
  if (bytes.byteLength === 0) return {};
  requireJson(c);
  return parseJson(bytes);
}

/** Returns the body as `schema` parses it. @throws {Problem} 422 for a body that does not match the schema. */
export function toInput<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw toValidationProblem('invalid-input', parsed.error);
  return parsed.data;
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
