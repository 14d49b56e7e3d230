import { writeFile } from 'node:fs/promises';
import { defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import type { Column } from '../output.ts';

const COLUMNS: readonly Column[] = [
  ['SESSIONS', 'name'],
  ['ATTACKS', 'attacks'],
  ['STOPPED', 'stopped'],
  ['BENIGN', 'benign'],
  ['DISTURBED', 'disturbed'],
  ['SUSPECTED', 'suspected'],
  ['CALLS AUC', 'callsAuc'],
  ['RECALL@1%', 'callsRecallAt1'],
  ['RESULTS AUC', 'resultsAuc'],
  ['RECALL@1%', 'resultsRecallAt1'],
];

export const detectorReport = defineCommand({
  name: 'detector report',
  summary: 'What the scores of a replay are worth, against labels: a table, and a page with ROC curves.',
  arguments: [{ name: 'SCORES', repeats: true, help: 'Scores of `detector replay` (its --out).' }],
  options: {
    labels: {
      type: 'string',
      value: 'FILES',
      help: 'Labels of the sessions, one JSON object a line; several with commas; may be gzip’d.',
    },
    html: { type: 'string', value: 'FILE', help: 'Where a page goes that stands alone.' },
  },
  examples: [
    'sallyport detector report scores.jsonl --labels a.labels.jsonl.gz,b.labels.jsonl.gz --html report.html',
  ],
  async run({ args, values, output }) {
    const files = values.labels?.split(',').filter((file) => file !== '') ?? [];
    if (files.length === 0) throw usageFault('--labels names at least one file.');
    const [{ TraceError }, { measured, rowOf }, { reportPage }] = await Promise.all([
      import('../../detector/index.ts'),
      import('./report-figures.ts'),
      import('./report-page.ts'),
    ]);
    try {
      const figures = await measured(args, files);
      if (values.html !== undefined) await writeFile(values.html, reportPage(figures, new Date()));
      output.list(figures.map(rowOf), COLUMNS, 'There are no labels.');
      if (values.html !== undefined) output.note(`The report is in ${values.html}.`);
    } catch (cause) {
      if (cause instanceof TraceError) throw stateFault(cause.message, 'Correct it and try again.', cause);
      if (cause instanceof Error && 'code' in cause && 'path' in cause)
        throw stateFault(`${String(cause.path)} can not be used (${String(cause.code)}).`, undefined, cause);
      throw cause;
    }
    return undefined;
  },
});
