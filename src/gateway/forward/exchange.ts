import type { Dispatcher, Pool } from 'undici';
import { type HeaderList, LIMITS, Refusal } from '../../core/index.ts';
import { upstreamFault } from './upstream-fault.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Canonical path and query. */
  readonly target: string;
  /** Byte strings (one character a byte), without framing fields. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  /** Null: chunked, when there is a streamed body. */
  readonly contentLength: number | null;
  /** Names the Host field; the pool knows the address. */
  readonly authority: string;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly body: AsyncIterable<Uint8Array>;
  /** Complete once the body has ended. */
  trailers(): HeaderList;
}

/** Bytes of an answer that wait for a slow agent before the upstream is asked to pause. */
const HIGH_WATER_BYTES = 128 * 1024;

/**
 * One request to an upstream and its answer, with backpressure both ways. `abort` ends it at any moment: the
 * upstream's connection is closed, and whoever reads the answer gets the reason.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #head = Promise.withResolvers<UpstreamResponse>();
  readonly #chunks: Uint8Array[] = [];
  #queued = 0;
  #controller: Dispatcher.DispatchController | null = null;
  #trailers: HeaderList = [];
  #ended = false;
  #fault: Error | null = null;
  #wake: (() => void) | null = null;

  static start(pool: Pool, request: UpstreamRequest): Exchange {
    const exchange = new Exchange();
    const headers: string[] = ['host', request.authority];
    for (const [name, value] of request.headers) headers.push(name, value);
    if (request.contentLength !== null) headers.push('content-length', String(request.contentLength));
    try {
      pool.dispatch(
        {
          method: request.method as Dispatcher.HttpMethod,
          path: request.target,
          headers,
          body: request.body as NonNullable<Dispatcher.DispatchOptions['body']> | null,
          // An answer is never mixed up with another call's, whatever the method.
          blocking: false,
          reset: false,
        },
        exchange,
      );
    } catch (error) {
      exchange.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
    return exchange;
  }

  private constructor() {
    // The reader may have left before the answer fails; `abort` and `body` still tell.
    this.#head.promise.catch(ignore);
  }

  /** The head of the answer. Rejects with a `Refusal`. */
  response(): Promise<UpstreamResponse> {
    return this.#head.promise;
  }

  abort(reason: Error): void {
    if (this.#ended || this.#fault !== null) return;
    this.#fault = reason;
    this.#controller?.abort(reason);
    this.#fail();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#fault !== null) controller.abort(this.#fault);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason?: string,
  ): void {
    // Interim answers (103) are not passed on: agents have no use for them, and each is a place to leak.
    if (status < 200) return;
    const headers = rawFields(controller.rawHeaders);
    if (headers.length > LIMITS.headerFields) {
      this.abort(new Refusal('upstream_malformed', { detail: 'The answer has too many fields.' }));
      return;
    }
    // A fault that came in the same packet wins: the agent gets a clean 502 in place of half an answer.
    setImmediate(() => {
      if (this.#fault !== null) return;
      this.#head.resolve({
        status,
        reason: reason ?? '',
        headers,
        body: this.#read(),
        trailers: () => this.#trailers,
      });
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued > HIGH_WATER_BYTES) controller.pause();
    this.#wake?.();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#trailers = rawFields(controller.rawTrailers);
    this.#ended = true;
    this.#wake?.();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#ended) return;
    this.#fault ??= upstreamFault(error);
    this.#fail();
  }

  #fail(): void {
    this.#head.reject(this.#fault);
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift();
        if (chunk !== undefined) {
          this.#queued -= chunk.length;
          if (this.#queued <= HIGH_WATER_BYTES / 2 && this.#controller?.paused === true)
            this.#controller.resume();
          yield chunk;
          continue;
        }
        if (this.#fault !== null) throw this.#fault;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    } finally {
      this.abort(new Refusal('internal_error', { internal: 'the reader of the answer left' }));
    }
  }
}

function ignore(): void {
  // Told by `abort` and `body` too.
}

/** undici gives raw fields as name, value, name, value. */
function rawFields(raw: Dispatcher.DispatchController['rawHeaders']): HeaderList {
  if (!Array.isArray(raw)) return [];
  const fields: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    fields.push([toText(raw[at]).toLowerCase(), toText(raw[at + 1])]);
  }
  return fields;
}

function toText(value: Buffer | string | undefined): string {
  return typeof value === 'string' ? value : (value?.toString('latin1') ?? '');
}
