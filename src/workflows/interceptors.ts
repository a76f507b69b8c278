import { defaultPayloadConverter, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * Removes the arguments of a signal that cannot be decoded, so that they do not fit. The SDK would decode them before
 * any handler runs and fail the workflow task for ever.
 */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate(input, next) {
        for (const { signalWorkflow } of input.activation.jobs ?? [])
          if (signalWorkflow && !canDecode(signalWorkflow.input ?? [])) signalWorkflow.input = [];
        next(input);
      },
    },
  ],
});

function canDecode(payloads: Parameters<typeof defaultPayloadConverter.fromPayload>[0][]): boolean {
  try {
    for (const payload of payloads) defaultPayloadConverter.fromPayload(payload);
    return true;
  } catch {
    return false;
  }
}
