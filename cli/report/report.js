// All scripts of the page use this file. Texts of a run enter the document only as text nodes, never as markup.

/** Returns an element. Strings among `children` become text nodes. */
function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Adds `children` to the end of the section `id`. */
const addTo = (id, ...children) => document.getElementById(id).append(...children);

const toCount = (count) => count.toLocaleString('en');
const plural = (count, noun) => `${toCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** Returns `12 ms` or `2.05 s`. */
function toTime(ms) {
  if (Math.abs(ms) < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  return `${Number((ms / 1_000).toFixed(2)).toLocaleString('en')} s`;
}

const longestIdLine = 20;
/** Breaks an id into lines, because tips do not break words. */
const toBrokenId = (id) => id.match(new RegExp(`.{1,${longestIdLine}}`, 'gu'))?.join('\n') ?? '';

/** Returns a table whose first row and first column are headings. */
function table(caption, headings, rows) {
  return element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...headings.map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, ...rows.map(([first, ...cells]) => element('tr', {}, toHeading(first), ...cells.map(toCell)))),
  );
}

const toHeading = (content) => element('th', { scope: 'row' }, content);
const toCell = (content) => element('td', {}, content);

const data = JSON.parse(document.getElementById('data').textContent);
globalThis.report = { data, charts: [], element, addTo, table, toCount, plural, toTime, toBrokenId };
