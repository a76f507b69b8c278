import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const read = (url: URL) => readFileSync(url, 'utf8');

/** A file of an installed package that its exports do not name, by the way from the one they do. */
function readLibrary(name: string, file: string): string {
  return read(new URL(file, pathToFileURL(createRequire(import.meta.url).resolve(name))));
}

const toHash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** No request to anywhere, and no script but those that were put in: markup in a text could do nothing if it got through. */
const toPolicy = (scripts: string[]) =>
  `default-src 'none'; script-src ${scripts.map(toHash).join(' ')}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'`;

/** In a data block only `</script` and `<!--` mean something to the HTML parser: without `<` there is neither. */
const toDataBlock = (data: object) => JSON.stringify(data).replaceAll('<', '\\u003c');

type Page = {
  /** With the gaps `<!-- policy -->`, `<!-- style -->`, `<!-- data -->` and `<!-- scripts -->`. */
  html: URL;
  scripts: URL[];
  data: object;
};

/** One HTML file that needs nothing else: libraries, style, and the figures as data that the page's scripts put into the document as text. */
export function toPage({ html, scripts: urls, data }: Page): string {
  const libraries = [
    readLibrary('d3', '../dist/d3.min.js'),
    readLibrary('@observablehq/plot', '../dist/plot.umd.min.js'),
  ];
  const scripts = urls.map(read);
  const parts: Record<string, string> = {
    policy: `<meta http-equiv="Content-Security-Policy" content="${toPolicy([...libraries, ...scripts])}">`,
    style: `<style>${read(new URL('page/style.css', import.meta.url))}</style>`,
    data: `<script type="application/json" id="data">${toDataBlock(data)}</script>`,
    scripts: [
      ...libraries.map((text) => `<script>${text}</script>`),
      ...scripts.map((text) => `<script type="module">${text}</script>`),
    ].join('\n'),
  };
  // By a function: in a replacement that is a string, a library's `$&` would stand for the gap.
  return read(html).replace(/<!-- (\w+) -->/g, (gap, name) => parts[name] ?? gap);
}
