const { data, element, addTo, table, toCount, plural, toTime } = globalThis.report;
const { run, counts } = data;

const statusTexts = { passed: '✓ passed', failed: '✗ failed', 'not-run': '– not run' };

function toVerdictLine({ totals, verdicts }) {
  const total = `${totals.passed}/${totals.total} passed`;
  const others = verdicts.filter(({ status }) => status !== 'passed');
  if (verdicts.length === 0) return `${total}: no check was run`;
  if (others.length === 0) return total;
  return `${total}: ${others.map(({ title, status }) => `${title} ${status === 'failed' ? 'failed' : 'was not run'}`).join(', ')}`;
}

/** Shows a moment as `2024-10-14 20:45:00 UTC`. */
const toMoment = (iso) =>
  element('time', { datetime: iso }, new Date(iso).toISOString().replace('T', ' ').replace(/\..*/, ' UTC'));

function toDefinitions(entries) {
  return element(
    'dl',
    {},
    ...entries.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

const allPassed = run.totals.total > 0 && run.totals.passed === run.totals.total;
addTo('run', element('p', { id: 'verdict-line', class: allPassed ? 'passed' : 'failed' }, toVerdictLine(run)));
if (run.interrupted)
  addTo('run', element('p', { class: 'not-run' }, 'Interrupted: this shows only what was done until then.'));
addTo(
  'run',
  toDefinitions([
    ['Started at', toMoment(run.startedAt)],
    ['Completed at', toMoment(run.completedAt)],
    ['Took', toTime(Date.parse(run.completedAt) - Date.parse(run.startedAt))],
    ['Command', element('code', {}, run.command)],
  ]),
);

if (run.verdicts.length === 0) addTo('verdicts', element('p', {}, 'No check was run.'));
else
  addTo(
    'verdicts',
    table(
      'Each check of the run, its result, and how long it took',
      ['Check', 'Verdict', 'Seconds'],
      run.verdicts.map(({ title, status, detail, seconds }) => {
        const check = element('div', {}, title, element('p', { class: 'detail' }, detail));
        return [check, element('span', { class: status }, statusTexts[status]), seconds.toFixed(1)];
      }),
    ),
  );

addTo(
  'figures',
  toDefinitions([
    ['Submissions', `${toCount(counts.submissions)}, ${toCount(counts.accepted)} of them accepted`],
    [
      'Tasks followed to their end',
      `${toCount(counts.tasks)}: ${toCount(counts.completed)} completed, ${toCount(counts.failed)} failed, ${toCount(counts.cancelled)} cancelled`,
    ],
  ]),
);
const { submission, completion } = run.latency;
const measures = { min: 'Minimum', p50: 'p50', p90: 'p90', p95: 'p95', p99: 'p99', max: 'Maximum' };
const toMs = (percentiles, measure) => (percentiles.count === 0 ? '–' : `${toCount(percentiles[measure])} ms`);
addTo(
  'figures',
  table(
    'Submission: from the request to its answer. Completion: from the submission of a task to its end.',
    ['Latency', 'Submission', 'Completion'],
    [
      ['Count', toCount(submission.count), toCount(completion.count)],
      ...Object.entries(measures).map(([measure, name]) => [
        name,
        toMs(submission, measure),
        toMs(completion, measure),
      ]),
    ],
  ),
);
if (counts.submissions + counts.tasks === 0)
  addTo('figures', element('p', {}, `${plural(0, 'submission')} and ${plural(0, 'task')}: nothing was measured.`));

const configuration = Object.entries(run.configuration);
addTo(
  'configuration',
  configuration.length === 0
    ? element('p', {}, 'No configuration was recorded.')
    : table('The configuration of the run', ['Setting', 'Value'], configuration),
);
