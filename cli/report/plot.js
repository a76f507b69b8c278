const { toTime } = globalThis.report;
const { Plot } = globalThis;

/** Round values from `least` to `most`: 1, 2, 5, 10, … or, where there is no room for so many, 1, 10, 100, … */
function toLogTicks([least, most], room) {
  const exponents = Array.from({ length: 16 }, (_, index) => index - 3);
  const between = (ticks) => ticks.filter((tick) => tick >= least && tick <= most);
  const fine = between(exponents.flatMap((exponent) => [1, 2, 5].map((digit) => digit * 10 ** exponent)));
  return fine.length <= room ? fine : between(exponents.map((exponent) => 10 ** exponent));
}

/** Scale and ticks of a logarithmic axis of milliseconds that holds `valuesMs` and has room for so many ticks. */
function toLogAxis(valuesMs, room = 8) {
  const least = valuesMs.reduce((min, value) => Math.min(min, value), Number.POSITIVE_INFINITY);
  const most = valuesMs.reduce((max, value) => Math.max(max, value), 0);
  const domain = [least, Math.max(most, least * 2)];
  return { scale: { type: 'log', domain }, ticks: toLogTicks(domain, room) };
}

/** As marks, for as an option of the scale a logarithmic axis leaves some of its ticks without their texts. */
const timeAxisX = ({ ticks }, label) => [Plot.axisX(ticks, { text: toTime, label })];
const timeAxisY = ({ ticks }, label) => [Plot.gridY(ticks), Plot.axisY(ticks, { text: toTime, label })];

/** Zero has no place on a logarithmic axis. */
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
/** In em: next to any point a tip fits on a page of 400 px. */
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
