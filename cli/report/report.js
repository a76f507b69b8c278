// What the page's scripts share. Texts of a run reach the document as text nodes alone, never as markup.

/** An element; a string among `children` becomes a text node. */
function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Adds to the end of the page's section `id`. */
const addTo = (id, ...children) => document.getElementById(id).append(...children);

const toCount = (count) => count.toLocaleString('en');
const plural = (count, noun) => `${toCount(count)} ${noun}${count === 1 ? '' : 's'}`;

/** `12 ms`, `2.05 s`: for people and axes. */
function toTime(ms) {
  if (Math.abs(ms) < 1_000) return `${Number(ms.toPrecision(3))} ms`;
  return `${Number((ms / 1_000).toFixed(2)).toLocaleString('en')} s`;
}

const longestIdLine = 20;
/** For tips, which do not break a word. */
const toBrokenId = (id) => id.match(new RegExp(`.{1,${longestIdLine}}`, 'gu'))?.join('\n') ?? '';

/** A table whose first row and first column are headings. */
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

globalThis.report = {
  data: JSON.parse(document.getElementById('data').textContent),
  charts: [],
  element,
  addTo,
  table,
  toCount,
  plural,
  toTime,
  toBrokenId,
};
