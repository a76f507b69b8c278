import { toPage } from '../../cli/report/to-page.ts';
import type { BenchResult } from '../result.ts';

/** Returns the HTML report of a run of `npm run bench`. */
export const toBenchReport = (result: BenchResult): string =>
  toPage({
    html: new URL('page.html', import.meta.url),
    scripts: [new URL('bench.js', import.meta.url)],
    data: result,
  });
