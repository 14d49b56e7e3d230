import type { Duplex } from 'node:stream';
import { GuardFault } from '../engine/fault.ts';
import { ANSWER_BYTES, encodeFrame, FrameError, FrameReader } from './frames.ts';
import { answerSchema, type GuardAnswer, type GuardRequest, type Ready } from './messages.ts';

/** Requests that wait on one line; more are late at once. */
const MOST_OPEN = 512;
/** How long a guard that is asked may say nothing at all. Its answers come from a thread that never computes. */
export const SILENCE_MS = 30_000;

type Asked = Extract<GuardRequest, { type: 'score' | 'stats' | 'examine' }>;
type Unnumbered<T> = T extends Asked ? Omit<T, 'id'> : never;
export type Question = Unnumbered<Asked>;
type Numbered = Extract<GuardAnswer, { id: number }>;

interface Open {
  readonly resolve: (answer: Numbered) => void;
  readonly reject: (fault: GuardFault) => void;
}

/**
 * The gate's end of a line to a guard, which it does not trust: frames are bounded, answers belong to a question
 * that was asked, and whatever else comes cuts the line.
 */
export class GuardLine {
  /** What the guard says of itself, once; rejects with GuardFault when it can't serve. */
  readonly ready: Promise<Ready>;
  /** Why it ended; resolves once. */
  readonly ended: Promise<string>;
  readonly #stream: Duplex;
  readonly #open = new Map<number, Open>();
  #settleReady: { resolve(ready: Ready): void; reject(fault: GuardFault): void } | null;
  #end: (reason: string) => void = () => {};
  #next = 1;
  #watch: NodeJS.Timeout | null = null;
  #over = false;

  constructor(stream: Duplex, o: { readonly silenceMs?: number } = {}) {
    this.#stream = stream;
    const ready = Promise.withResolvers<Ready>();
    this.ready = ready.promise;
    // Whoever waits for `ended` alone must not make an unhandled rejection of it.
    ready.promise.catch(() => {});
    this.#settleReady = ready;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const reader = new FrameReader(ANSWER_BYTES);
    stream.on('data', (chunk: Buffer) => {
      this.#heard(o.silenceMs ?? SILENCE_MS);
      try {
        for (const message of reader.push(chunk)) this.#take(message);
      } catch (fault) {
        if (!(fault instanceof FrameError)) throw fault;
        this.cut(`it broke the protocol: ${fault.message}`);
      }
    });
    stream.on('error', (error) => this.cut(error.message));
    stream.on('close', () => this.cut('the line was closed'));
  }

  /** Questions that have no answer yet. */
  get waiting(): number {
    return this.#open.size;
  }

  /** Rejects with GuardFault: the guard's own, `cancelled` by the signal, `closed` when the line ends. */
  async ask<K extends Question['type']>(
    question: Extract<Question, { type: K }>,
    o: { readonly signal?: AbortSignal; readonly silenceMs?: number } = {},
  ): Promise<Numbered> {
    if (this.#over) throw new GuardFault('closed', 'The guard is gone.');
    if (this.#open.size >= MOST_OPEN)
      throw new GuardFault('overloaded', 'Too many texts wait for the guard.');
    if (o.signal?.aborted === true) throw new GuardFault('cancelled', 'The question was withdrawn.');
    const id = this.#next++;
    const abort = () => {
      const open = this.#open.get(id);
      if (open === undefined) return;
      this.#open.delete(id);
      this.#send({ type: 'cancel', id });
      open.reject(new GuardFault('cancelled', 'The question was withdrawn.'));
    };
    const answer = new Promise<Numbered>((resolve, reject) => this.#open.set(id, { resolve, reject }));
    this.#send({ ...question, id });
    if (this.#watch === null) this.#heard(o.silenceMs ?? SILENCE_MS);
    o.signal?.addEventListener('abort', abort, { once: true });
    try {
      return await answer;
    } finally {
      o.signal?.removeEventListener('abort', abort);
    }
  }

  /** Ends the line; everything that waits is answered with `closed`. */
  cut(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#stream.destroy();
    const gone = new GuardFault('closed', `The guard is gone: ${reason}.`);
    this.#settleReady?.reject(gone);
    this.#settleReady = null;
    for (const { reject } of this.#open.values()) reject(gone);
    this.#open.clear();
    this.#end(reason);
  }

  #send(message: unknown): void {
    if (!this.#over) this.#stream.write(encodeFrame(message));
  }

  #take(message: unknown): void {
    if (this.#over) return;
    const parsed = answerSchema.safeParse(message);
    if (!parsed.success) throw new FrameError('an answer has not the form of one');
    const answer = parsed.data;
    if (answer.type === 'ready') {
      if (this.#settleReady === null) throw new FrameError('it was ready twice');
      this.#settleReady.resolve(answer);
      this.#settleReady = null;
      return;
    }
    if (answer.type === 'refused') {
      this.#settleReady?.reject(new GuardFault(answer.code, answer.sentence));
      this.#settleReady = null;
      this.cut(answer.sentence);
      return;
    }
    if (answer.id >= this.#next) throw new FrameError('an answer is to no question');
    const open = this.#open.get(answer.id);
    // Withdrawn while the answer was on its way.
    if (open === undefined) return;
    this.#open.delete(answer.id);
    if (answer.type === 'fault') open.reject(new GuardFault(answer.code, answer.sentence));
    else open.resolve(answer);
  }

  /** A guard that has questions and says nothing for long is taken for dead. */
  #heard(silenceMs: number): void {
    if (this.#over) return;
    if (this.#watch !== null) clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.#watch = null;
      if (this.#open.size > 0) this.cut(`it said nothing for ${Math.round(silenceMs / 1000)} s`);
    }, silenceMs);
    this.#watch.unref();
  }
}
