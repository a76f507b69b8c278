import type { Context } from 'hono';
import type { TraceContext } from '../../tasks.ts';

/** W3C Trace Context: version, trace id, parent id, flags. Only versions after 00 may have more fields than these. */
const traceparentPattern =
  /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{0,200})?$/;

const maximumTracestate = 512;
const maximumMembers = 32;
const memberPattern =
  /^([a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Returns the trace headers of the request. The headers are unchanged, because Holdfast creates no spans of its own. A
 * malformed header is left out, for example a `traceparent` that is sent twice. A `tracestate` is also left out if
 * there is no valid `traceparent`.
 */
export function readTrace(c: Context): TraceContext {
  const traceparent = c.req.header('traceparent') ?? '';
  if (!traceparentPattern.test(traceparent)) return {};
  const tracestate = c.req.header('tracestate') ?? '';
  return { traceparent, ...(isTracestate(tracestate) && { tracestate }) };
}

/** Returns the trace id, which the log lines about this request contain, or `undefined` without a trace. */
export const toTraceId = ({ traceparent }: TraceContext) => traceparent?.split('-')[1];

function isTracestate(text: string): boolean {
  if (text === '' || text.length > maximumTracestate) return false;
  const members = text.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''));
  return members.length <= maximumMembers && members.every((member) => member === '' || memberPattern.test(member));
}
