const { Plot, report } = globalThis;
const { toTime } = report;

/** Returns round numbers within the domain: 1, 2, 5, 10, … If these are more than `maximum`, returns 1, 10, 100, … */
function toLogTicks([least, most], maximum) {
  const exponents = Array.from({ length: 16 }, (_, index) => index - 3);
  const between = (ticks) => ticks.filter((tick) => tick >= least && tick <= most);
  const fine = between(exponents.flatMap((exponent) => [1, 2, 5].map((digit) => digit * 10 ** exponent)));
  return fine.length <= maximum ? fine : between(exponents.map((exponent) => 10 ** exponent));
}

/** Returns the scale and at most `maximumTicks` ticks of a logarithmic axis that contains `valuesMs`. */
function toLogAxis(valuesMs, maximumTicks = 8) {
  const least = valuesMs.reduce((min, value) => Math.min(min, value), Number.POSITIVE_INFINITY);
  const most = valuesMs.reduce((max, value) => Math.max(max, value), 0);
  const domain = [least, Math.max(most, least * 2)];
  return { scale: { type: 'log', domain }, ticks: toLogTicks(domain, maximumTicks) };
}

// We draw the axes as marks, because Plot's automatic axis for a logarithmic scale leaves some ticks without text.
const timeAxisX = ({ ticks }, label) => [Plot.axisX(ticks, { text: toTime, label })];
const timeAxisY = ({ ticks }, label) => [Plot.gridY(ticks), Plot.axisY(ticks, { text: toTime, label })];

/** Raises a time below 1 ms to 1 ms, because a logarithmic axis cannot show zero. */
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
/** The width of a tip, in em. Such a tip fits beside any point on a page that is 400 px wide. */
const tipWidth = 13;
const seconds = (ms) => ms / 1_000;
const sinceStart = 'seconds since the start of the run →';

Object.assign(report, { plot, toLogAxis, timeAxisX, timeAxisY, atLeast1, lines, tipWidth, seconds, sinceStart });
