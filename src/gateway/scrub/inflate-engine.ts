import type { BrotliDecompress, Gunzip, Inflate, InflateRaw, ZstdDecompress } from 'node:zlib';
import { Refusal } from '../../core/index.ts';

type ZlibStream = Gunzip | Inflate | InflateRaw | BrotliDecompress | ZstdDecompress;

/** Fed in pieces of this size, so that one piece can't grow into much before the growth is looked at. */
const PIECE_BYTES = 16 * 1024;

/** One of Node's decompressors, driven piece by piece: what goes in, comes out before the next piece. */
export class InflateEngine {
  readonly #make: () => ZlibStream;
  readonly #afterEnd: 'refuse' | 'next-frame';
  #stream: ZlibStream;
  #output: Uint8Array[] = [];
  #fault: unknown = null;
  #fail: ((fault: unknown) => void) | null = null;
  #mayGrow: (bytes: number) => void = () => {};

  /**
   * `afterEnd`: what bytes behind the end of the coded data mean. `next-frame`: one more frame (RFC 8878
   * section 3.1); Node's zstd ends with a frame that ends inside a chunk, so the rest needs a new stream.
   */
  constructor(make: () => ZlibStream, afterEnd: 'refuse' | 'next-frame') {
    this.#make = make;
    this.#afterEnd = afterEnd;
    this.#stream = this.#open();
  }

  /** `mayGrow` hears of every decoded byte, and throws to stop. */
  onGrowth(mayGrow: (bytes: number) => void): void {
    this.#mayGrow = mayGrow;
  }

  async *write(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      yield* this.#writePiece(chunk.subarray(at, at + PIECE_BYTES));
    }
  }

  async *end(): AsyncGenerator<Uint8Array> {
    await this.#settle((done) => {
      // It has ended by itself when padding followed the coded data.
      if (this.#stream.readableEnded) return done();
      this.#stream.once('end', done);
      this.#stream.end();
    });
    yield* this.#drain();
  }

  destroy(): void {
    this.#output = [];
    this.#stream.destroy();
  }

  async *#writePiece(piece: Uint8Array): AsyncGenerator<Uint8Array> {
    let rest = piece;
    while (rest.length > 0) {
      const before = this.#stream.bytesWritten;
      const current = rest;
      await this.#settle((done) => this.#stream.write(current, () => done()));
      yield* this.#drain();
      const consumed = this.#stream.bytesWritten - before;
      rest = rest.subarray(consumed);
      if (rest.length === 0) return;
      if (this.#afterEnd === 'refuse') {
        // Zeros are padding; anything else would be bytes that nobody has looked at.
        if (rest.every((byte) => byte === 0)) return;
        throw damaged(new Error('bytes follow the end of the coded body'));
      }
      if (consumed === 0 && before === 0) throw damaged(new Error('no frame begins where one should'));
      this.#stream.destroy();
      this.#stream = this.#open();
    }
  }

  #open(): ZlibStream {
    const stream = this.#make();
    stream.on('data', (chunk: Buffer) => {
      if (this.#fault !== null) return;
      try {
        this.#mayGrow(chunk.length);
        this.#output.push(chunk);
      } catch (error) {
        this.#stop(error);
      }
    });
    stream.on('error', (error) => this.#stop(damaged(error)));
    return stream;
  }

  *#drain(): Generator<Uint8Array> {
    const output = this.#output;
    this.#output = [];
    yield* output;
  }

  /** Waits for `start` to say that it is done, or for the stream to fail. */
  async #settle(start: (done: () => void) => void): Promise<void> {
    if (this.#fault === null) {
      await new Promise<void>((resolve, reject) => {
        this.#fail = reject;
        start(resolve);
      });
    }
    this.#fail = null;
    if (this.#fault !== null) throw this.#fault;
  }

  #stop(fault: unknown): void {
    this.#fault ??= fault;
    this.#stream.destroy();
    this.#fail?.(fault);
  }
}

function damaged(cause: unknown): Refusal {
  return new Refusal('upstream_malformed', {
    detail: 'The coded body of the answer is damaged or cut off.',
    cause,
  });
}
