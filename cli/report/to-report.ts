import type { StressResult } from '../../proof/system/result.ts';
import { toData } from './to-data.ts';
import { toPage } from './to-page.ts';

/** In the order of the page; each finds in `globalThis.report` what those before it share. */
const pageScripts = [
  'report',
  'tables',
  'plot',
  'throughput',
  'latency',
  'distribution',
  'timeline',
  'waits',
  'memory',
  'draw',
];

const toUrl = (name: string) => new URL(`page/${name}`, import.meta.url);

/** The HTML report of a run. */
export const toReport = (result: StressResult): string =>
  toPage({
    html: toUrl('page.html'),
    scripts: pageScripts.map((name) => toUrl(`${name}.js`)),
    data: toData(result),
  });
