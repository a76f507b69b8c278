import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const read = (url: URL) => readFileSync(url, 'utf8');
const shared = (file: string) => read(new URL(file, import.meta.url));

/** Reads a file that a package's exports do not name. `file` is relative to the file that they do name. */
const readLibrary = (name: string, file: string) =>
  read(new URL(file, pathToFileURL(createRequire(import.meta.url).resolve(name))));

const toHash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Allows no request and only these scripts. Markup that got into the page as text could do nothing. */
const toPolicy = (scripts: string[]) =>
  `default-src 'none'; script-src ${scripts.map(toHash).join(' ')}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;

/** The HTML parser looks for `</script` and `<!--` in a data block. Without `<` it finds neither. */
const toDataBlock = (data: object) => JSON.stringify(data).replaceAll('<', '\\u003c');

type Page = {
  /** Has the placeholders `<!-- policy -->`, `<!-- style -->`, `<!-- data -->` and `<!-- scripts -->`. */
  html: URL;
  /** They run in this order, after `report.js` and `plot.js` and before `draw.js`. */
  scripts: URL[];
  data: object;
};

/** Returns one HTML file with its libraries, style, scripts and data. The scripts add the data to the document as text. */
export function toPage({ html, scripts: urls, data }: Page): string {
  const libraries = [
    readLibrary('d3', '../dist/d3.min.js'),
    readLibrary('@observablehq/plot', '../dist/plot.umd.min.js'),
  ];
  const scripts = [shared('report.js'), shared('plot.js'), ...urls.map(read), shared('draw.js')];
  const parts: Record<string, string> = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${toPolicy([...libraries, ...scripts])}">`,
    style: `<style>${shared('style.css')}</style>`,
    data: `<script type="application/json" id="data">${toDataBlock(data)}</script>`,
    scripts: [
      ...libraries.map((text) => `<script>${text}</script>`),
      ...scripts.map((text) => `<script type="module">${text}</script>`),
    ].join('\n'),
  };
  // The replacement is a function, because `$&` in a string would stand for the placeholder.
  return read(html).replace(/<!-- (\w+) -->/g, (placeholder, name) => parts[name] ?? placeholder);
}
