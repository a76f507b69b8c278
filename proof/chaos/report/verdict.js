const { data, element, addTo, table, toCount, plural } = globalThis.report;

/** Wraps a wide table, so that the table scrolls sideways and the page does not. */
const scrolling = (child) => element('div', { class: 'scroll', tabindex: '0' }, child);
const toFigure = (figure) => (typeof figure === 'number' ? toCount(figure) : figure);

const sentences = {
  passed: '✓ Passed: every invariant held',
  failed: '✗ Failed: an invariant is broken',
  unknown: '? Unknown: no invariant is broken, but too little happened for a verdict',
};
const classes = { passed: 'passed', failed: 'failed', unknown: 'not-run' };
addTo(
  'run',
  element('p', { id: 'verdict-line', class: classes[data.verdict] }, sentences[data.verdict]),
  element('p', {}, element('code', {}, data.command)),
  element(
    'p',
    {},
    `Started at ${data.startedAt.replace('T', ' ').replace(/\..*/, ' UTC')}, ${toCount(data.seconds)} s, on ${data.machine}.`,
  ),
);

const mark = (holds, ifNot) =>
  element(
    'span',
    { class: holds ? 'passed' : ifNot, 'aria-label': holds ? 'holds: ' : 'does not hold: ' },
    holds ? '✓ ' : '✗ ',
  );

addTo(
  'invariants',
  table(
    'Each invariant, the cases that broke it, and what that means',
    ['Invariant', 'Broken'],
    data.invariants.map(({ name, title, violated, meaning }) => [
      element(
        'div',
        {},
        mark(violated === 0, 'failed'),
        title,
        element('p', { class: 'detail' }, element('code', {}, name)),
      ),
      meaning,
    ]),
  ),
);

const toTimeline = ({ id, text, story }) =>
  element(
    'details',
    { class: 'violation' },
    element('summary', {}, element('code', {}, id), ` ${text}`),
    scrolling(
      table(
        'What clients, upstream and Temporal recorded, and the faults at that time',
        ['Second', 'From', 'What'],
        story.map((line) => [line.at.toFixed(2), line.from, line.text]),
      ),
    ),
  );
const broken = data.invariants.filter(({ violated }) => violated > 0);
if (broken.length === 0) addTo('violations', element('p', {}, 'None.'));
for (const { name, violated, violations } of broken) {
  const some = violations.length < violated ? `, the first ${violations.length} of them` : '';
  addTo(
    'violations',
    element('h3', {}, element('code', {}, name), `: ${plural(violated, 'violation')}${some}`),
    ...violations.map(toTimeline),
  );
}

addTo(
  'guards',
  table(
    'Without these the verdict is unknown',
    ['Condition', 'Seen'],
    data.guards.map(({ title, holds, detail }) => [element('div', {}, mark(holds, 'not-run'), title), detail]),
  ),
);

addTo(
  'figures',
  table(
    `Seed ${data.seed}`,
    ['Figure', 'Value'],
    Object.entries(data.figures).map(([name, figure]) => [name, toFigure(figure)]),
  ),
);

addTo(
  'faults',
  element(
    'details',
    {},
    element('summary', {}, plural(data.faults.length, 'fault')),
    scrolling(
      table(
        'In the order of the schedule. A fault without an effect does not count.',
        ['Number', 'Kind', 'Target', 'From, s', 'To, s', 'Effect', 'Seen'],
        data.faults.map(({ number, kind, target, from, to, verified, seen }) => [
          String(number),
          kind,
          target,
          from.toFixed(2),
          to.toFixed(2),
          verified ? 'yes' : 'no',
          seen,
        ]),
      ),
    ),
  ),
);
