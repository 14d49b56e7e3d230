import type { Change, Earlier, ReplayLine } from '../../detector/index.ts';
import type { Column, Output } from '../output.ts';

/** Changes that are shown one by one; the counts are of all. */
const MAX_SHOWN = 200;

const COLUMNS: readonly Column[] = [
  ['SESSION', 'traceId'],
  ['EVENT', 'event'],
  ['DECISION', 'decision'],
  ['SCORE', 'score'],
  ['CHECKS', 'checks'],
];

/** Which decisions of recorded sessions are others than before. */
export class ChangeReport {
  readonly #earlier: Earlier;
  readonly #shown: Change[] = [];
  readonly #counts = new Map<string, number>();
  readonly #sessions = new Set<string>();
  #unknown = 0;

  constructor(earlier: Earlier) {
    this.#earlier = earlier;
  }

  add(line: ReplayLine): void {
    const change = this.#earlier.compare(line);
    if (change === null) return;
    if (change === 'unknown') {
      this.#unknown += 1;
      return;
    }
    const kind = `${change.phase} ${change.before} → ${change.after}`;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#sessions.add(change.traceId);
    if (this.#shown.length < MAX_SHOWN) this.#shown.push(change);
  }

  tell(output: Output): void {
    const rows = this.#shown.map((one) => ({
      traceId: one.traceId,
      event: `${one.phase} ${one.seq}`,
      decision: `${one.before} → ${one.after}`,
      score: `${one.scoreBefore.toFixed(2)} → ${one.scoreAfter.toFixed(2)}`,
      checks: one.checks.join(', '),
    }));
    output.list(rows, COLUMNS, 'Every decision is as it was.');
    for (const [kind, count] of this.#counts) output.note(`${count} × ${kind}`);
    if (this.#sessions.size > 0) output.note(`${this.#sessions.size} sessions have other decisions.`);
    if (this.#unknown > 0) output.note(`${this.#unknown} events were not in the earlier scores.`);
  }
}
