import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refusal } from '../../core/index.ts';
import { checkRequestTrailers, type RequestHead } from './request-head.ts';

export interface BodySourceOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  /** How long the client may pause in the body. */
  readonly idleTimeoutMs: number;
}

/**
 * The body of a request, read when it is asked for: one reader, no chunk ahead of it. It ends with a check of
 * the trailers, so that whoever passes the body on never sees a clean end of a message with a fault in it.
 */
export class BodySource implements AsyncIterable<Uint8Array> {
  readonly #options: BodySourceOptions;
  readonly isEmpty: boolean;
  readonly length: number | null;
  #bytes = 0;
  #wake: (() => void) | null = null;
  #fault: Error | null = null;
  #ended = false;

  constructor(options: BodySourceOptions) {
    this.#options = options;
    const { contentLength, chunked } = options.head;
    this.length = contentLength;
    this.isEmpty = !chunked && (contentLength === null || contentLength === 0);
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads the whole body. Throws `body_too_large` before more than `limit` bytes are kept. */
  async buffer(limit: number): Promise<Uint8Array> {
    if (this.length !== null && this.length > limit) throw tooLarge(limit);
    const chunks: Uint8Array[] = [];
    let total = 0;
    for await (const chunk of this) {
      total += chunk.length;
      if (total > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { request, response, head, idleTimeoutMs } = this.#options;
    if (expectsContinue(head)) response.writeContinue();
    const wake = () => this.#wake?.();
    const end = () => {
      this.#ended = true;
      wake();
    };
    const fail = (error?: Error) => {
      this.#fault ??= request.complete && this.#ended ? null : gone(error);
      wake();
    };
    const timer = setTimeout(() => {
      if (this.#wake === null) timer.refresh();
      else {
        this.#fault ??= new Refusal('request_timeout', { detail: 'The body did not arrive in time.' });
        wake();
      }
    }, idleTimeoutMs);
    request.on('readable', wake).on('end', end).on('error', fail).on('close', fail);
    try {
      for (;;) {
        const chunk: Buffer | null = request.read();
        if (chunk !== null) {
          this.#bytes += chunk.length;
          yield chunk;
          timer.refresh();
          continue;
        }
        if (this.#fault !== null) throw this.#fault;
        if (this.#ended || request.readableEnded) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    } finally {
      clearTimeout(timer);
      request.off('readable', wake).off('end', end).off('error', fail).off('close', fail);
      request.on('error', ignore);
    }
    checkRequestTrailers(request.rawTrailers);
  }
}

function ignore(): void {
  // The reader has left; what happens to the rest of the request concerns nobody.
}

function expectsContinue(head: RequestHead): boolean {
  return head.headers.some(([name, value]) => name === 'expect' && value.toLowerCase() === '100-continue');
}

function gone(cause: Error | undefined): Refusal {
  return new Refusal('request_malformed', { detail: 'The body ended early or is not well-formed.', cause });
}

function tooLarge(limit: number): Refusal {
  return new Refusal('body_too_large', { detail: `The body is larger than ${limit} bytes.` });
}
