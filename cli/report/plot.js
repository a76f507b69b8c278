const { toTime } = globalThis.report;
const { Plot } = globalThis;

/** Returns round values in the domain: 1, 2, 5, 10, … or, if they are more than `maximum`, 1, 10, 100, … */
function toLogTicks([least, most], maximum) {
  const exponents = Array.from({ length: 16 }, (_, index) => index - 3);
  const between = (ticks) => ticks.filter((tick) => tick >= least && tick <= most);
  const fine = between(exponents.flatMap((exponent) => [1, 2, 5].map((digit) => digit * 10 ** exponent)));
  return fine.length <= maximum ? fine : between(exponents.map((exponent) => 10 ** exponent));
}

/** Returns scale and ticks of a logarithmic axis that contains `valuesMs`, with at most `maximumTicks` ticks. */
function toLogAxis(valuesMs, maximumTicks = 8) {
  const least = valuesMs.reduce((min, value) => Math.min(min, value), Number.POSITIVE_INFINITY);
  const most = valuesMs.reduce((max, value) => Math.max(max, value), 0);
  const domain = [least, Math.max(most, least * 2)];
  return { scale: { type: 'log', domain }, ticks: toLogTicks(domain, maximumTicks) };
}

// Axes are marks here: as an option of the scale, Plot leaves some ticks of a logarithmic axis without text.
const timeAxisX = ({ ticks }, label) => [Plot.axisX(ticks, { text: toTime, label })];
const timeAxisY = ({ ticks }, label) => [Plot.gridY(ticks), Plot.axisY(ticks, { text: toTime, label })];

/** A logarithmic axis cannot show zero. */
const atLeast1 = (ms) => Math.max(1, ms);

function plot(width, label, options) {
  const svg = Plot.plot({
    width,
    ariaLabel: label,
    marginLeft: 58,
    marginBottom: 42,
    style: { fontSize: '12px' },
    ...options,
  });
  svg.setAttribute('role', 'img');
  return svg;
}

const lines = (...texts) => texts.join('\n');
/** In em. A tip of this width fits beside any point on a page of 400 px. */
const tipWidth = 13;
const seconds = (ms) => ms / 1_000;
const sinceStart = 'seconds since the start of the run →';

Object.assign(globalThis.report, {
  plot,
  toLogAxis,
  timeAxisX,
  timeAxisY,
  atLeast1,
  lines,
  tipWidth,
  seconds,
  sinceStart,
});
