import type { Context } from 'hono';
import type { TraceContext } from '../../tasks.ts';

/** W3C Trace Context: version, trace id, parent id, flags; only a later version than 00 may have more after them. */
const traceparentPattern =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,200})?$/;

const longestTracestate = 512;
const mostMembers = 32;
const memberPattern =
  /^([a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The trace that a request belongs to, unchanged: we make no spans, so we forward what came and add no id of our own. What is not well
 * formed is ignored, and so is a `tracestate` without a `traceparent`; sent twice, a `traceparent` is not well formed.
 */
export function readTrace(c: Context): TraceContext {
  const traceparent = c.req.header('traceparent') ?? '';
  if (!traceparentPattern.test(traceparent)) return {};
  const tracestate = c.req.header('tracestate') ?? '';
  return { traceparent, ...(isTracestate(tracestate) && { tracestate }) };
}

/** The id that every log on the way of this request has in common. */
export const toTraceId = ({ traceparent }: TraceContext) => traceparent?.split('-')[1];

function isTracestate(text: string): boolean {
  if (text === '' || text.length > longestTracestate) return false;
  const members = text.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''));
  return members.length <= mostMembers && members.every((member) => member === '' || memberPattern.test(member));
}
