import { z } from 'zod';
import type { ReplayLine } from './replay.ts';
import { readLines } from './trace.ts';

const scored = z.object({
  traceId: z.string(),
  seq: z.int(),
  score: z.number(),
  decision: z.enum(['allow', 'hold', 'deny']),
});

/** One event that is decided otherwise than before. */
export interface Change {
  readonly traceId: string;
  readonly seq: number;
  readonly phase: ReplayLine['phase'];
  readonly before: ReplayLine['decision'];
  readonly after: ReplayLine['decision'];
  readonly scoreBefore: number;
  readonly scoreAfter: number;
  /** The checks that speak now. */
  readonly checks: readonly string[];
}

/** The scores of an earlier replay, to compare with: what a changed rule, threshold or model does. */
export class Earlier {
  readonly #known: ReadonlyMap<string, z.infer<typeof scored>>;

  private constructor(known: ReadonlyMap<string, z.infer<typeof scored>>) {
    this.#known = known;
  }

  /** Throws TraceError at the first line that is no score. */
  static async read(file: string): Promise<Earlier> {
    const known = new Map<string, z.infer<typeof scored>>();
    for await (const one of readLines(file, scored)) known.set(keyOf(one), one);
    return new Earlier(known);
  }

  /** Null: decided as before. `unknown`: it was not among the earlier ones. */
  compare(line: ReplayLine): Change | 'unknown' | null {
    const before = this.#known.get(keyOf(line));
    if (before === undefined) return 'unknown';
    if (before.decision === line.decision) return null;
    return {
      traceId: line.traceId,
      seq: line.seq,
      phase: line.phase,
      before: before.decision,
      after: line.decision,
      scoreBefore: before.score,
      scoreAfter: line.score,
      checks: line.findings.map(({ check }) => check),
    };
  }
}

function keyOf({ traceId, seq }: { readonly traceId: string; readonly seq: number }): string {
  return `${seq} ${traceId}`;
}
