import { hash } from 'node:crypto';
import type { GuardSegment } from './guard.ts';

/** Answers that are kept; each is a digest and a few numbers. */
const MOST = 16_384;

export interface Question {
  readonly tenant: string;
  readonly segments: readonly GuardSegment[];
  readonly labels: readonly string[];
}

/**
 * What one guard has said, so that it is not asked the same twice: agents read the same pages and lists over and over,
 * and the engine's scores are the same bits each time. Kept by digest alone, for the tenant that asked; those not asked
 * for longest go first.
 */
export class RememberedScores {
  readonly #known = new Map<string, ReadonlyMap<string, number>>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Where the answer to this question is kept. */
  keyOf({ tenant, segments, labels }: Question): string {
    return hash('sha256', JSON.stringify([tenant, segments, labels]), 'base64');
  }

  get(key: string): ReadonlyMap<string, number> | null {
    const scores = this.#known.get(key);
    if (scores === undefined) return null;
    this.#known.delete(key);
    this.#known.set(key, scores);
    return scores;
  }

  set(key: string, scores: ReadonlyMap<string, number>): void {
    this.#known.set(key, scores);
    if (this.#known.size <= this.#most) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}
