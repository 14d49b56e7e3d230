import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import {
  type Figures,
  labelSchema,
  Measure,
  readAll,
  readLines,
  recallAt,
  scoreSchema,
  TraceError,
} from '../../detector/index.ts';
import { defineCommand } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';
import type { Column } from '../output.ts';
import { reportPage } from './report-page.ts';

const COLUMNS: readonly Column[] = [
  ['SESSIONS', 'name'],
  ['ATTACKS', 'attacks'],
  ['STOPPED', 'stopped'],
  ['BENIGN', 'benign'],
  ['DISTURBED', 'disturbed'],
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

async function measured(scores: readonly string[], files: readonly string[]): Promise<readonly Figures[]> {
  const measures: Measure[] = [];
  for (const file of files) {
    const labels = await readAll(file, labelSchema);
    measures.push(new Measure(basename(file).replace(/\.(?:labels|jsonl|gz)/g, ''), labels));
  }
  for (const file of scores) {
    for await (const line of readLines(file, scoreSchema)) {
      for (const measure of measures) if (measure.add(line)) break;
    }
  }
  return measures.map((measure) => measure.figures());
}

function rowOf({ name, attacks, stopped, benign, disturbed, calls, results }: Figures) {
  return {
    name,
    attacks,
    stopped: percent(stopped, attacks),
    benign,
    disturbed: percent(disturbed, benign),
    callsAuc: calls.auc?.toFixed(4) ?? '–',
    callsRecallAt1: shown(recallAt(calls, 0.01)),
    resultsAuc: results.auc?.toFixed(4) ?? '–',
    resultsRecallAt1: shown(recallAt(results, 0.01)),
  };
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : shown(part / whole);
}

function shown(share: number | null): string {
  return share === null ? '–' : `${(100 * share).toFixed(1)} %`;
}
