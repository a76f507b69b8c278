import { toPage } from '../../../cli/report/to-page.ts';
import type { StressResult } from '../result.ts';
import { toData } from './to-data.ts';

/** In the order of the page. */
const charts = ['throughput', 'latency', 'distribution', 'timeline', 'waits', 'memory'];

/** Returns the HTML report of a run of `npm run stress:system`. */
export const toReport = (result: StressResult): string =>
  toPage({
    html: new URL('page.html', import.meta.url),
    scripts: ['tables', ...charts].map((name) => new URL(`${name}.js`, import.meta.url)),
    data: toData(result),
  });
