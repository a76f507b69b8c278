import type { Invariant } from './invariant.ts';

export const cleanProcesses: Invariant = {
  name: 'clean-processes',
  title: 'No process ended by itself, and no log has an unhandled error, a panic or a nondeterminism error',
  check: ({ logs, deaths }) => ({
    checked: logs.lines,
    findings: [
      ...deaths.map((text) => ({ id: 'process', text })),
      ...logs.findings.map(({ file, line }) => ({ id: file, text: line })),
    ],
  }),
};
