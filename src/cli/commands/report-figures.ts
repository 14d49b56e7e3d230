import { basename } from 'node:path';
import {
  type Figures,
  labelSchema,
  Measure,
  readAll,
  readLines,
  recallAt,
  scoreSchema,
} from '../../detector/index.ts';

/** What the scores in some files are worth against the labels in others, a row a file of labels. */
export async function measured(
  scores: readonly string[],
  files: readonly string[],
): Promise<readonly Figures[]> {
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

/** Figures as a line of the table. */
export function rowOf(figures: Figures) {
  const { name, attacks, stopped, benign, disturbed, suspected, calls, results } = figures;
  return {
    name,
    attacks,
    stopped: percent(stopped, attacks),
    benign,
    disturbed: percent(disturbed, benign),
    suspected: percent(suspected, benign),
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
