import type { GuardEngine } from '../engine/engine.ts';
import type { Scorer } from '../scorer.ts';
import type { Answers } from './answers.ts';

const EXAMINED_TOKENS = [16, 64, 128, 512] as const;

/** The answers of an engine in this process. */
export function engineAnswers(engine: GuardEngine, scorer: Scorer): Answers {
  return {
    async score({ segments, labels, deadlineMs }, signal) {
      const { scores, ...rest } = await scorer.score({ segments, deadlineMs, signal });
      const asked = [...scores].filter(([label]) => labels.includes(label));
      return { scores: Object.fromEntries(asked), ...rest };
    },
    async stats() {
      return { stats: { ...engine.stats(), peakBytes: peakBytes() } };
    },
    async examine() {
      const info = { ...engine.info, labels: [...engine.info.labels] };
      return { info, timings: await timed(engine), peakBytes: peakBytes() };
    },
  };
}

/** Median of three passes for each length that the model takes. */
async function timed(engine: GuardEngine): Promise<{ tokens: number; ms: number }[]> {
  const timings = [];
  for (const length of EXAMINED_TOKENS.filter((one) => one <= engine.info.context)) {
    const most = Math.min(engine.info.vocabulary, 256);
    const tokens = Int32Array.from({ length }, (_, at) => (at * 7 + 3) % most);
    const took: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { computeMs } = await engine.score({ tokens, labels: engine.info.isEncoder ? [] : [0, 1] });
      took.push(computeMs);
    }
    timings.push({ tokens: length, ms: took.sort((a, b) => a - b)[1] ?? 0 });
  }
  return timings;
}

/** Most memory that this process has had; asked of the kernel by a call that needs no file. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
