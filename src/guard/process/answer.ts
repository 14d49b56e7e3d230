import type { Duplex } from 'node:stream';
import { GuardFault } from '../engine/fault.ts';
import type { Answers, ScoreOrder } from './answers.ts';
import { encodeFrame, FrameError, FrameReader, REQUEST_BYTES } from './frames.ts';
import { type GuardAnswer, type GuardRequest, requestSchema } from './messages.ts';

/** What one line may ask for at a time. */
const MOST_OPEN = 1024;
/** Answers that nobody fetches. */
const MOST_UNSENT_BYTES = 16 * 1024 * 1024;

/** Answers what comes down one line, until it ends. A line that breaks the format is cut, and the others go on. */
export class Answerer {
  readonly #line: Duplex;
  readonly #answers: Answers;
  readonly #open = new Map<number, AbortController>();

  constructor(line: Duplex, answers: Answers) {
    this.#line = line;
    this.#answers = answers;
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
    const { id } = request;
    switch (request.type) {
      case 'stats':
        return { ...(await this.#answers.stats()), type: 'stats', id };
      case 'examine':
        return { ...(await this.#answers.examine()), type: 'examined', id };
      case 'score':
        return { ...(await this.#answers.score(orderOf(request), signal)), type: 'scores', id };
    }
  }

  #send(answer: GuardAnswer): void {
    if (this.#line.destroyed) return;
    this.#line.write(encodeFrame(answer));
    if (this.#line.writableLength > MOST_UNSENT_BYTES) this.#line.destroy();
  }
}

function orderOf({ segments, labels, deadlineMs }: Extract<GuardRequest, { type: 'score' }>): ScoreOrder {
  return { segments, labels, deadlineMs };
}

function faultOf(id: number, fault: unknown): GuardAnswer {
  if (fault instanceof GuardFault) {
    return { type: 'fault', id, code: fault.code, sentence: fault.message.slice(0, 1024) };
  }
  // A mistake of ours: the asker learns that there is no answer, and no more.
  return { type: 'fault', id, code: 'bad_argument', sentence: 'The request could not be worked on.' };
}
