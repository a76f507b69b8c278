import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from '../result.ts';
import { toShortTable, toTables } from '../to-text.ts';

const toPath = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
export const savedRun = toPath('docs/bench.json');

/** The pages with a section that comes from the saved run. A section lies between two comments. */
export const pages: Record<string, (result: BenchResult) => string> = {
  'README.md': toShortTable,
  'docs/performance.md': (result) => `${toConditions(result)}\n\n${toTables(result)}`,
};

const toConditions = ({ startedAt, rounds, machine, rows }: BenchResult) => {
  const versions = [...new Set(rows.flatMap((row) => row.versions))].sort();
  return `Run of ${startedAt.slice(0, 10)}: ${rounds} rounds on ${machine}.\n\n${versions.map((name) => `- ${name}`).join('\n')}`;
};

const section = /(<!-- bench -->\n).*?(<!-- \/bench -->)/s;

/** Returns `page` with another content of its section. @throws {Error} if it has no section. */
export function putIntoSection(page: string, content: string): string {
  if (!section.test(page)) throw new Error('The page has no section between <!-- bench --> and <!-- /bench -->');
  return page.replace(section, (_, begin: string, end: string) => `${begin}${content}\n${end}`);
}

/** Keeps a run in the repository, and puts its tables into the pages that show them. */
export function saveRun(result: BenchResult): void {
  writeFileSync(savedRun, `${JSON.stringify(result, null, 2)}\n`);
  for (const [name, toContent] of Object.entries(pages))
    writeFileSync(toPath(name), putIntoSection(readFileSync(toPath(name), 'utf8'), toContent(result)));
}
