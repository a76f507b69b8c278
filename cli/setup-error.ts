/** An error that the user can fix. The message says how, and is shown without a stack trace. */
export class SetupError extends Error {
  override name = 'SetupError';
}
