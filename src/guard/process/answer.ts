import type { Duplex } from 'node:stream';
import type { GuardEngine } from '../engine/engine.ts';
import { GuardFault } from '../engine/fault.ts';
import type { Scorer } from '../scorer.ts';
import { encodeFrame, FrameError, FrameReader, REQUEST_BYTES } from './frames.ts';
import { type GuardAnswer, type GuardRequest, requestSchema } from './messages.ts';

const EXAMINED_TOKENS = [16, 64, 128, 512] as const;
/** What one line may ask for at a time. */
const MOST_OPEN = 1024;
/** Answers that nobody fetches. */
const MOST_UNSENT_BYTES = 16 * 1024 * 1024;

/** What answers the requests of a line. */
export interface Served {
  readonly engine: GuardEngine;
  readonly scorer: Scorer;
}

/** Answers what comes down one line, until it ends. A line that breaks the format is cut, and the others go on. */
export class Answerer {
  readonly #line: Duplex;
  readonly #served: Served;
  readonly #open = new Map<number, AbortController>();

  constructor(line: Duplex, served: Served) {
    this.#line = line;
    this.#served = served;
    const reader = new FrameReader(REQUEST_BYTES);
    line.on('data', (chunk: Buffer) => {
      try {
        for (const message of reader.push(chunk)) this.#take(message);
      } catch (fault) {
        if (!(fault instanceof FrameError)) throw fault;
        line.destroy();
      }
    });
    // Whoever asked is gone, and with him the wish to know.
    line.on('close', () => this.#abandon());
    line.on('error', () => line.destroy());
  }

  #abandon(): void {
    for (const abort of this.#open.values()) abort.abort();
    this.#open.clear();
  }

  #take(message: unknown): void {
    const parsed = requestSchema.safeParse(message);
    if (!parsed.success || parsed.data.type === 'open')
      throw new FrameError('A request has not the form of one.');
    const request = parsed.data;
    if (request.type === 'cancel') {
      this.#open.get(request.id)?.abort();
      return;
    }
    if (this.#open.has(request.id)) throw new FrameError('A request has the number of another.');
    if (this.#open.size >= MOST_OPEN) {
      this.#send({
        type: 'fault',
        id: request.id,
        code: 'overloaded',
        sentence: 'Too many requests at a time.',
      });
      return;
    }
    const abort = new AbortController();
    this.#open.set(request.id, abort);
    void this.#answer(request, abort.signal)
      .catch((fault: unknown) => faultOf(request.id, fault))
      .then((answer) => {
        if (!this.#open.delete(request.id)) return;
        this.#send(answer);
      });
  }

  async #answer(
    request: Exclude<GuardRequest, { type: 'open' | 'cancel' }>,
    signal: AbortSignal,
  ): Promise<GuardAnswer> {
    const { engine, scorer } = this.#served;
    const { id } = request;
    switch (request.type) {
      case 'stats':
        return { type: 'stats', id, stats: { ...engine.stats(), peakBytes: peakBytes() } };
      case 'examine':
        return {
          type: 'examined',
          id,
          info: { ...engine.info, labels: [...engine.info.labels] },
          timings: await timed(engine),
          peakBytes: peakBytes(),
        };
      case 'score': {
        const { segments, labels, deadlineMs } = request;
        const { scores, ...rest } = await scorer.score({ segments, deadlineMs, signal });
        const asked = [...scores].filter(([label]) => labels.includes(label));
        return { type: 'scores', id, scores: Object.fromEntries(asked), ...rest };
      }
    }
  }

  #send(answer: GuardAnswer): void {
    if (this.#line.destroyed) return;
    this.#line.write(encodeFrame(answer));
    if (this.#line.writableLength > MOST_UNSENT_BYTES) this.#line.destroy();
  }
}

/** Median of three passes for each length that the model takes. */
async function timed(engine: GuardEngine): Promise<{ tokens: number; ms: number }[]> {
  const timings = [];
  for (const length of EXAMINED_TOKENS.filter((one) => one <= engine.info.context)) {
    const tokens = Int32Array.from(
      { length },
      (_, at) => (at * 7 + 3) % Math.min(engine.info.vocabulary, 256),
    );
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

function faultOf(id: number, fault: unknown): GuardAnswer {
  if (fault instanceof GuardFault) {
    return { type: 'fault', id, code: fault.code, sentence: fault.message.slice(0, 1024) };
  }
  // A mistake of ours: the asker learns that there is no answer, and no more.
  return { type: 'fault', id, code: 'bad_argument', sentence: 'The request could not be worked on.' };
}
