import { toPage } from '../../../cli/report/to-page.ts';
import type { ProveResult } from '../judge/result.ts';

const shared = (name: string) => new URL(`../../../cli/report/page/${name}.js`, import.meta.url);
const own = (name: string) => new URL(name, import.meta.url);

/** The HTML report of a run of `npm run prove`: one file that needs nothing else. */
export const toProveReport = (result: ProveResult): string =>
  toPage({
    html: own('prove.html'),
    scripts: [shared('report'), own('verdict.js'), own('faults.js'), own('recovery.js'), shared('draw')],
    data: result,
  });
