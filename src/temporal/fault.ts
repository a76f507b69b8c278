import { status } from '@grpc/grpc-js';
import type { Client } from '@temporalio/client';
import type { Config } from '../config/config.ts';
import { withDeadline } from './deadline.ts';
import { findGrpcError, TemporalRefused, TemporalUnavailable, toTemporalError } from './errors.ts';

type Target = Pick<Config['temporal'], 'address' | 'namespace'>;

/** Returns in one line why this process cannot use Temporal, or `undefined` if it can. */
export async function findFault(client: Client, { address, namespace }: Target): Promise<string | undefined> {
  try {
    await withDeadline(() => client.workflowService.describeNamespace({ namespace }));
    return undefined;
  } catch (error) {
    return toFault(error, { address, namespace });
  }
}

/**
 * Returns in one line why this server cannot run tasks with the engine of the configuration, or `undefined` if it can.
 * @throws {TemporalUnavailable | TemporalRefused}
 */
export async function findEngineFault(
  { workflowService }: Client,
  { engine, temporal: { address, namespace } }: Pick<Config, 'engine' | 'temporal'>,
): Promise<string | undefined> {
  if (engine === 'workflow') return undefined;
  const { namespaceInfo } = await withDeadline(() => workflowService.describeNamespace({ namespace }));
  const { standaloneActivities, standaloneActivityStartDelay } = namespaceInfo?.capabilities ?? {};
  if (standaloneActivities && standaloneActivityStartDelay) return undefined;
  const { serverVersion } = await withDeadline(() => workflowService.getSystemInfo({}));
  const found = `The server at ${address} is ${serverVersion || 'older'} and does not offer them fully`;
  const advice = 'update it or switch them on, or set ENGINE=workflow';
  return `ENGINE=activity needs Temporal 1.32 with standalone activities. ${found}: ${advice}.`;
}

/** Matches the reason of a failed connection if the TLS settings of one side are wrong. */
const tls = /certificate|SSL routines|ERR_TLS|ERR_SSL/i;

/** Returns the message of the last failed connection, without the text that gRPC and OpenSSL add. */
const toReason = (details: string) =>
  (
    details
      .replace(/^Deadline exceeded after (\d+)\.\d+s,.*$/s, 'no answer within $1 s')
      .replace(/^.*Last error: (Error: )?|\. Resolution note: *$/gs, '')
      .split('\n')[0] ?? ''
  ).replace(/^.*(SSL routines):[^:]*:([^:]*):.*$/, '$1: $2');

/** Returns in one line what an error of a call to Temporal means and what to do about it. */
export function toFault(error: unknown, { address, namespace }: Target): string {
  const who = `Temporal at ${address}`;
  const known = toTemporalError(error);
  const { code, details = '' } = findGrpcError(known) ?? {};
  const reason = toReason(details);
  const why = reason && ` (${reason})`;
  if (known instanceof TemporalRefused) {
    if (known.reason === 'namespace')
      return `${who} has no namespace ${namespace}: create it, or correct TEMPORAL_NAMESPACE.`;
    if (known.reason === 'permission')
      return `${who} denies access to namespace ${namespace}${why}: check TEMPORAL_API_KEY and the client certificate.`;
    return `${who} refuses the call${why}: check the TEMPORAL_ variables.`;
  }
  if (!(known instanceof TemporalUnavailable))
    return `A call to ${who} failed: ${(error as Error).message.split('\n')[0]}.`;
  if (code === status.RESOURCE_EXHAUSTED) return `${who} refuses calls at this moment${why}.`;
  if (tls.test(reason)) return `The TLS connection to ${who} fails${why}: check the TEMPORAL_TLS variables.`;
  if (details.startsWith('Name resolution failed'))
    return `The host name of ${who} is unknown: correct TEMPORAL_ADDRESS.`;
  const hint = reason.includes('ECONNREFUSED') ? '' : ' If Temporal requires TLS, set TEMPORAL_TLS.';
  return `${who} cannot be reached${why}: start it, or set TEMPORAL_ADDRESS.${hint}`;
}
