import { toPage } from '../../../cli/report/to-page.ts';
import type { StressResult } from '../result.ts';
import { toData } from './to-data.ts';

/** The scripts of the charts, in the order of the charts on the page. */
const charts = ['throughput', 'latency', 'distribution', 'timeline', 'waits', 'memory'];

/** Returns the HTML report of a run of `npm run stress:system`. */
export const toReport = (result: StressResult): string =>
  toPage({
    title: 'Holdfast stress report',
    sections: {
      verdicts: 'Verdicts',
      figures: 'Headline figures',
      throughput: 'Throughput over time',
      latency: 'Latency over time',
      distribution: 'Latency distribution',
      timeline: 'Attempts of each task',
      waits: 'Waits against the policy',
      memory: 'Memory over time',
      configuration: 'Configuration',
    },
    scripts: ['tables', ...charts].map((name) => new URL(`${name}.js`, import.meta.url)),
    data: toData(result),
  });
