import { NamespaceNotFoundError } from '@temporalio/client';
import { expect, test } from 'vitest';
import { toFault } from '../../../src/temporal/fault.ts';

const target = { address: 'temporal.test:7233', namespace: 'orders' };
const grpc = (code: number, details: string) =>
  Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: { get: () => [] } });
const noConnection = (reason: string) => `No connection established. Last error: Error: ${reason}. Resolution note: `;
const tlsReason = '80E8:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:354:\n';

test.each<[string, Error]>([
  [
    'Temporal at temporal.test:7233 has no namespace orders: create it, or correct TEMPORAL_NAMESPACE.',
    new NamespaceNotFoundError('orders'),
  ],
  [
    'Temporal at temporal.test:7233 denies access to namespace orders (invalid key): check TEMPORAL_API_KEY and the client certificate.',
    grpc(16, 'invalid key'),
  ],
  [
    'Temporal at temporal.test:7233 refuses the call (bad name): check the TEMPORAL_ variables.',
    grpc(3, 'bad name\nat line 1'),
  ],
  [
    'Temporal at temporal.test:7233 refuses calls at this moment (namespace rate limit exceeded).',
    grpc(8, 'namespace rate limit exceeded'),
  ],
  [
    'The TLS connection to Temporal at temporal.test:7233 fails (SSL routines: wrong version number): check the TEMPORAL_TLS variables.',
    grpc(14, noConnection(tlsReason)),
  ],
  [
    'The TLS connection to Temporal at temporal.test:7233 fails (self-signed certificate in certificate chain): check the TEMPORAL_TLS variables.',
    grpc(14, noConnection('self-signed certificate in certificate chain')),
  ],
  [
    'The host name of Temporal at temporal.test:7233 is unknown: correct TEMPORAL_ADDRESS.',
    grpc(14, 'Name resolution failed for target dns:temporal.test:7233'),
  ],
  [
    'Temporal at temporal.test:7233 cannot be reached (connect ECONNREFUSED 10.0.0.1:7233): start it, or set TEMPORAL_ADDRESS.',
    grpc(14, noConnection('connect ECONNREFUSED 10.0.0.1:7233')),
  ],
  [
    'Temporal at temporal.test:7233 cannot be reached: start it, or set TEMPORAL_ADDRESS. If Temporal requires TLS, set TEMPORAL_TLS.',
    grpc(4, ''),
  ],
  ['A call to Temporal at temporal.test:7233 failed: no.', new Error('no\nstack')],
])('an error is explained in one line: %s', (line, error) => {
  expect(toFault(error, target)).toBe(line);
});
