import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { toPage } from '../../../cli/report/to-page.ts';
import { SetupError } from '../../../cli/setup-error.ts';
import type { ProveResult } from '../judge/result.ts';

const own = (name: string) => new URL(name, import.meta.url);

/** Returns the HTML report of a run of `npm run prove`, as one self-contained file. */
export const toProveReport = (result: ProveResult): string =>
  toPage({
    title: 'Holdfast: the proof',
    sections: {
      invariants: 'What must hold',
      violations: 'Violations',
      timeline: 'Throughput over time, with the faults',
      recovery: 'Recovery after a worker’s kill -9',
      guards: 'Whether there were enough tasks and faults',
      figures: 'Figures',
      faults: 'Every fault',
    },
    scripts: [own('verdict.js'), own('faults.js'), own('recovery.js')],
    data: result,
  });

/**
 * Writes the HTML report of a saved `prove.json`, under the same name with `.html`, and returns its path.
 * @throws {SetupError} if `file` is not a result of `npm run prove`, or the report cannot be written.
 */
export function renderReport(file: string, directory = dirname(file)): string {
  const page = join(directory, `${basename(file, '.json')}.html`);
  try {
    const result = JSON.parse(readFileSync(file, 'utf8')) as Partial<ProveResult> | null;
    if (!result?.verdict || !result.invariants || !result.recovery) throw new SyntaxError('Not a result');
    writeFileSync(page, toProveReport(result as ProveResult));
  } catch (error) {
    if (error instanceof SyntaxError) throw new SetupError(`${file} is not a result of npm run prove.`);
    const { code, path = file } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new SetupError(`${path} cannot be read or written (${code}): name another file or --output.`);
  }
  return page;
}
