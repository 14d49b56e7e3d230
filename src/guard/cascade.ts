import type { GuardScores, GuardStatus } from './guard.ts';
import type { OpenGuard } from './opened.ts';

/** Probabilities of the small model between which it does not count as sure. */
export interface Unsure {
  readonly from: number;
  readonly below: number;
}

/**
 * Two guards as one: the small model scores everything, the bigger one only what the small one is unsure of, and then
 * its word is what counts. Where the bigger one has no opinion the small one's stands; where it should have had one and
 * it did not come, the answer is late (G9).
 */
export function cascade(small: OpenGuard, big: OpenGuard, unsure: Unsure): OpenGuard {
  return {
    get status() {
      return both(small.status, big.status);
    },
    get isRequired() {
      return small.isRequired || big.isRequired;
    },
    get isFit() {
      return small.isFit && big.isFit;
    },
    get counts() {
      const [a, b] = [small.counts, big.counts];
      return {
        scored: a.scored,
        remembered: a.remembered,
        late: a.late + b.late,
        absent: a.absent,
        restarts: a.restarts + b.restarts,
      };
    },
    async settled(mostMs) {
      await Promise.all([small.settled(mostMs), big.settled(mostMs)]);
    },
    stats: () => small.stats(),
    async close() {
      await Promise.all([small.close(), big.close()]);
    },
    async score(o) {
      const began = performance.now();
      const first = await small.score(o);
      if (typeof first === 'string') return first;
      const labels = o.labels.filter((label) => isUnsure(first.get(label), unsure));
      if (labels.length === 0) return first;
      const deadlineMs = Math.max(1, o.deadlineMs - (performance.now() - began));
      return settledBy(first, await big.score({ ...o, labels, deadlineMs }));
    },
  };
}

function isUnsure(score: number | undefined, { from, below }: Unsure): boolean {
  return score !== undefined && score >= from && score < below;
}

function settledBy(first: ReadonlyMap<string, number>, second: GuardScores): GuardScores {
  if (second === 'late') return 'late';
  return second === 'absent' ? first : new Map([...first, ...second]);
}

/** What one sees of both: the worse of the two; where both serve, both names. */
function both(small: GuardStatus, big: GuardStatus): GuardStatus {
  if (small.kind !== 'ready' || big.kind === 'absent') return small;
  if (big.kind !== 'ready') return big;
  return { ...small, model: `${small.model}, where unsure ${big.model}` };
}
