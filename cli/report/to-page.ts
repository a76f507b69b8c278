import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const read = (url: URL) => readFileSync(url, 'utf8');
const shared = (file: string) => read(new URL(file, import.meta.url));

/** Reads a file that the package does not export. `file` is relative to the package's main file. */
const readLibrary = (name: string, file: string) =>
  read(new URL(file, pathToFileURL(createRequire(import.meta.url).resolve(name))));

const toHash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Allows no requests and only these scripts, so scripts injected through the data would not run. */
const toPolicy = (scripts: string[]) =>
  `default-src 'none'; script-src ${scripts.map(toHash).join(' ')}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;

/** Returns JSON without `<`, because the HTML parser reacts to `</script` and `<!--` in a data block. */
const toDataBlock = (data: object) => JSON.stringify(data).replaceAll('<', '\\u003c');

type Page = {
  title: string;
  /** The id and heading of each section, in order. Before these, the page has a section `run` without a heading. */
  sections: Record<string, string>;
  /** The scripts run in this order, after `report.js` and `plot.js` and before `draw.js`. */
  scripts: URL[];
  data: object;
};

/** Returns one HTML file with its libraries, style, scripts and data. The scripts add the data to the page as text. */
export function toPage({ title, sections, scripts: urls, data }: Page): string {
  const libraries = [
    readLibrary('d3', '../dist/d3.min.js'),
    readLibrary('@observablehq/plot', '../dist/plot.umd.min.js'),
  ];
  const scripts = [shared('report.js'), shared('plot.js'), ...urls.map(read), shared('draw.js')];
  const headings = Object.entries(sections).map(
    ([id, heading]) => `  <section id="${id}"><h2>${heading}</h2></section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${toPolicy([...libraries, ...scripts])}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${shared('style.css')}</style>
</head>
<body>
<main>
  <h1>${title}</h1>
  <noscript><p>Scripts inside this file draw the tables and charts. Please allow scripts.</p></noscript>
  <section id="run" aria-label="The run"></section>
${headings.join('\n')}
</main>
<script type="application/json" id="data">${toDataBlock(data)}</script>
${libraries.map((text) => `<script>${text}</script>`).join('\n')}
${scripts.map((text) => `<script type="module">${text}</script>`).join('\n')}
</body>
</html>
`;
}
