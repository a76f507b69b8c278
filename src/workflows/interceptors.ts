import { defaultPayloadConverter, type WorkflowInterceptors } from '@temporalio/workflow';

/**
 * If the arguments of a signal cannot be decoded, removes them. `handleSignal` then ignores the signal. The SDK decodes
 * arguments before any handler runs, and would fail the workflow task for ever.
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
