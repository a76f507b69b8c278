import { z } from '@hono/zod-openapi';
import { rateLimitHeaders, toHeaders } from '../problems/headers.ts';
import { anyBody, anyPost, anySubmission, toBody } from '../problems/openapi.ts';
import { exampleId, taskSchema } from '../views/schemas.ts';
import { preferHeader } from '../watch/wait.ts';

/** The parts of the OpenAPI document that several operations on tasks and batches share. */

export const taskIdParameter = z.object({
  id: z.string().describe('The id of a task').openapi({ example: exampleId }),
});

export const taskProblems = ['unauthorized', 'not-found', 'temporal-unavailable', 'overloaded'] as const;

export const submissionProblems = [
  ...anyPost,
  ...anyBody,
  'unauthorized',
  'idempotency-mismatch',
  'temporal-unavailable',
  ...anySubmission,
] as const;

/** Returns OpenAPI links to the operations that a client can call with the id in the answer. */
export const toLinks = (...operationIds: string[]) =>
  Object.fromEntries(
    operationIds.map((operationId) => [operationId, { operationId, parameters: { id: '$response.body#/id' } }]),
  );

/** `submit-fetch-joke` → `submitFetchJoke`. */
export const toOperationId = (text: string) => text.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

export const idempotencyKeyHeader = z
  .string()
  .optional()
  .openapi({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' })
  .describe('Makes the submission safe to repeat: the same request with the same key starts at most one task or batch');

export const submissionHeaders = z.object({ 'Idempotency-Key': idempotencyKeyHeader, Prefer: preferHeader });

const toAccepted = (description: string) => ({
  ...toBody(taskSchema, description),
  headers: toHeaders(
    'Location',
    'Idempotency-Replayed',
    'Idempotency-Expires',
    'Preference-Applied',
    ...rateLimitHeaders,
  ),
  links: toLinks('readTask', 'cancelTask', 'rerunTask'),
});

/** Returns the OpenAPI responses for the successful answers to a submission or a rerun. */
export const toAcceptedResponses = (description: string) => ({
  200: toAccepted('The finished task: it ended while the caller waited'),
  202: toAccepted(description),
});
