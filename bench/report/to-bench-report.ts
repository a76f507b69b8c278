import { toPage } from '../../cli/report/to-page.ts';
import type { BenchResult } from '../result.ts';

/** Returns the HTML report of a run of `npm run bench`. */
export const toBenchReport = (result: BenchResult): string =>
  toPage({
    title: 'Holdfast benchmark',
    sections: {
      goals: 'Goals',
      systems: 'Systems',
      slow: 'A slow upstream that sometimes fails',
      completions: 'Completions a second',
      submissions: 'Submissions a second',
      cpu: 'CPU milliseconds per task',
      versions: 'What ran',
    },
    scripts: [new URL('bench.js', import.meta.url)],
    data: result,
  });
