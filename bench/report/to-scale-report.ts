import { toPage } from '../../cli/report/to-page.ts';
import type { ScaleResult } from '../scale/result.ts';

/** Returns the HTML report of a run of `npm run bench:scale`. */
export const toScaleReport = (result: ScaleResult): string =>
  toPage({
    title: 'Holdfast at scale',
    sections: {
      workers: 'Workers',
      backlog: 'Backlog',
      clients: 'Clients',
      memory: 'Memory',
    },
    scripts: [new URL('scale.js', import.meta.url)],
    data: result,
  });
