import { toPage } from '../../cli/report/to-page.ts';
import type { BenchResult } from '../result.ts';

const shared = (name: string) => new URL(`../../cli/report/page/${name}.js`, import.meta.url);

/** The HTML report of a run of `npm run bench`. */
export const toBenchReport = (result: BenchResult): string =>
  toPage({
    html: new URL('page.html', import.meta.url),
    scripts: [shared('report'), new URL('bench.js', import.meta.url), shared('draw')],
    data: result,
  });
