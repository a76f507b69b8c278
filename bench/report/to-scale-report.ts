import { toPage } from '../../cli/report/to-page.ts';
import type { ScaleResult } from '../scale/result.ts';

const shared = (name: string) => new URL(`../../cli/report/page/${name}.js`, import.meta.url);

/** The HTML report of a run of `npm run bench:scale`. */
export const toScaleReport = (result: ScaleResult): string =>
  toPage({
    html: new URL('scale.html', import.meta.url),
    scripts: [shared('report'), new URL('scale.js', import.meta.url), shared('draw')],
    data: result,
  });
