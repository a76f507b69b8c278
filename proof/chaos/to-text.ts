import type { ProveResult } from './judge/result.ts';

const verdicts = {
  passed: '✅ PASSED',
  failed: '❌ FAILED',
  unknown: '⚠️  UNKNOWN: no invariant is broken, but too little happened to prove anything',
} as const;

/** Formats a run for a terminal: figures, each invariant with its meaning, one line per violation, guards, verdict. */
export function toProveText({ verdict, figures, invariants, guards, recovery }: ProveResult): string {
  const width = Math.max(...invariants.map(({ name }) => name.length));
  const { count, p50, p99, max } = recovery.percentiles;
  return [
    ...Object.entries(figures).map(
      ([name, figure]) => `  ${name}: ${typeof figure === 'number' ? figure.toLocaleString('en') : figure}`,
    ),
    `  recovery after a worker's kill, in addition to the wait: ${count === 0 ? 'none measured' : `${count} calls, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms (bound ${recovery.boundMs} ms)`}`,
    '',
    ...invariants.flatMap(({ name, title, violated, meaning, violations }) => [
      `${violated > 0 ? '❌' : '✅'} ${name.padEnd(width)}  ${meaning}`,
      ...(violated > 0 ? [`   ${title}`, ...violations.map(({ id, text }) => `   ${id}: ${text}`)] : []),
    ]),
    '',
    ...guards.map(({ title, holds, detail }) => `${holds ? '✅' : '⚠️ '} ${title}: ${detail}`),
    '',
    verdicts[verdict],
  ].join('\n');
}
