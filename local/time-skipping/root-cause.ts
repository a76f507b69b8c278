type Cause = { cause?: Cause; retryState?: string; type?: string; timeoutType?: string; name?: string };

export type RootCause = { type: string | undefined; retryState?: string };

/** The failure at the bottom of WorkflowFailedError > ActivityFailure > cause, and why no further attempt was made. */
export function toRootCause(error: Cause): RootCause {
  const type = error.type ?? error.timeoutType ?? error.name;
  const root = error.cause && !error.timeoutType ? toRootCause(error.cause) : { type };
  return error.retryState ? { ...root, retryState: error.retryState } : root;
}
