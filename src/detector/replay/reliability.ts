/** Calls of one range of scores, and how many of them did what an attacker wants. */
export interface ReliabilityRow {
  /** The range: from this score on, below the other one. Both 0: nothing was found. */
  readonly from: number;
  readonly below: number;
  readonly calls: number;
  readonly meanScore: number;
  readonly harmful: number;
}

const RANGES = 10;

/** How scores and shares of harm go together: a score is worth what became of the calls that had it. */
export class Reliability {
  readonly #ranges = Array.from({ length: RANGES + 1 }, () => ({ calls: 0, scores: 0, harmful: 0 }));

  add(score: number, harmful: boolean): void {
    const range = this.#ranges[score <= 0 ? 0 : Math.min(RANGES, Math.floor(score * RANGES) + 1)];
    if (range === undefined) return;
    range.calls += 1;
    range.scores += score;
    if (harmful) range.harmful += 1;
  }

  /** The ranges that have calls, the lowest first. */
  rows(): readonly ReliabilityRow[] {
    return this.#ranges.flatMap(({ calls, scores, harmful }, at) =>
      calls === 0
        ? []
        : [
            {
              from: Math.max(0, (at - 1) / RANGES),
              below: at / RANGES,
              calls,
              meanScore: scores / calls,
              harmful,
            },
          ],
    );
  }
}
