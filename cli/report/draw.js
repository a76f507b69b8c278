const { charts, element, addTo } = globalThis.report;
const { d3 } = globalThis;

const shapes = {
  circle: (size) => d3.symbol(d3.symbolCircle, size)(),
  square: (size) => d3.symbol(d3.symbolSquare, size)(),
  diamond: (size) => d3.symbol(d3.symbolDiamond, size)(),
  triangle: (size) => d3.symbol(d3.symbolTriangle, size)(),
  times: () => 'M-4,-4L4,4M-4,4L4,-4',
  line: () => 'M-6,0L6,0',
  tick: () => 'M0,-6L0,6',
};

function toSwatch({ color, symbol }) {
  const svg = d3
    .create('svg')
    .attr('width', 14)
    .attr('height', 14)
    .attr('viewBox', '-7 -7 14 14')
    .attr('aria-hidden', 'true');
  svg.append('path').attr('d', shapes[symbol](60)).attr('fill', color).attr('stroke', color).attr('stroke-width', 1.5);
  return svg.node();
}

const toLegend = (entries) =>
  element('ul', { class: 'legend' }, ...entries.map((entry) => element('li', {}, toSwatch(entry), entry.label)));

for (const chart of charts) {
  if (chart.empty) {
    addTo(chart.id, element('p', {}, chart.empty));
    continue;
  }
  chart.container = element('div', { class: 'plots' });
  addTo(
    chart.id,
    element(
      'figure',
      { 'aria-label': chart.label },
      ...(chart.legend ? [toLegend(chart.legend)] : []),
      chart.container,
      element('figcaption', {}, chart.caption),
    ),
    ...(chart.more ? [chart.more()] : []),
  );
}

/** Draws a chart. If that fails, shows the error in place of the chart, so that the other charts are still drawn. */
function draw({ container, draw: drawAt }) {
  try {
    container.replaceChildren(...drawAt(container.clientWidth));
  } catch (error) {
    container.replaceChildren(element('p', { class: 'failed' }, `This chart could not be drawn: ${error.message}`));
    reportError(error);
  }
}

let drawnWidth;
function drawAll(width) {
  if (width === drawnWidth) return;
  drawnWidth = width;
  for (const chart of charts) if (chart.container) draw(chart);
  performance.mark('drawn');
  document.documentElement.dataset.drawnWidth = String(Math.round(width));
}

const main = document.querySelector('main');
// Drawing changes heights, and a ResizeObserver must not resize what it observes. So drawing waits for the next frame.
new ResizeObserver(([{ contentRect }]) => requestAnimationFrame(() => drawAll(contentRect.width))).observe(main);
