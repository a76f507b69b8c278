/** A fault that the person at the keyboard can mend: the message says how, and no stack trace follows it. */
export class SetupError extends Error {
  override name = 'SetupError';
}
