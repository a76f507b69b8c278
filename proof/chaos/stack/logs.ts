import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogFinding } from '../types.ts';

/**
 * Patterns that no log may contain: unhandled errors, pino's fatal level (60), panics of Go and Rust, nondeterminism
 * errors, exhausted memory, leaked listeners.
 */
const signs = [
  /unhandled/i,
  /uncaught/i,
  /"level":60\b/,
  /^panic: /,
  /panicked at/,
  /^fatal error: /,
  /TMPRL1100|nondeterminis/i,
  /heap out of memory/,
  /MaxListenersExceededWarning/,
];

/** Returns the number of lines in all logs, and the lines that match a pattern. */
export function scanLogs(directory: string): { lines: number; findings: LogFinding[] } {
  const all = readdirSync(directory).flatMap((file) =>
    readFileSync(join(directory, file), 'utf8')
      .split('\n')
      .map((line) => ({ file, line })),
  );
  const findings = all.filter(({ line }) => signs.some((sign) => sign.test(line)));
  return { lines: all.length, findings: findings.map(({ file, line }) => ({ file, line: line.slice(0, 500) })) };
}
