import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { endOfTurn, type HeaderList, LIMITS, Refusal } from '../../core/index.ts';
import type { PinnedAgent } from '../egress/pinned-agent.ts';
import { toHeaderList } from '../ingress/fields.ts';
import { faultOf, malformed, settled } from './answer-head.ts';
import { upstreamFault } from './upstream-fault.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Canonical path and query. */
  readonly target: string;
  /** Byte strings (one character a byte), without framing fields. */
  readonly headers: HeaderList;
  readonly body: AsyncIterable<Uint8Array> | null;
  /** Null: chunked, when there is a body. */
  readonly contentLength: number | null;
  /** The Host field; the agent knows the address. */
  readonly authority: string;
  /** How long the upstream may stay silent. */
  readonly timeoutMs: number;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Bytes: a short answer, which came whole. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Complete once the body has ended. */
  trailers(): HeaderList;
}

/**
 * One request to an upstream and its answer, with backpressure both ways. `abort` ends it at any moment: the
 * upstream's connection is closed, and whoever reads the answer gets the reason.
 */
export class Exchange {
  readonly #agent: PinnedAgent;
  readonly #o: UpstreamRequest;
  #request: ClientRequest;
  readonly #head = Promise.withResolvers<UpstreamResponse>();
  #incoming: IncomingMessage | null = null;
  #ended = false;
  #fault: Error | null = null;
  #tries = 0;
  #headTimer: NodeJS.Timeout | undefined;

  static start(agent: PinnedAgent, request: UpstreamRequest): Exchange {
    return new Exchange(agent, request);
  }

  private constructor(agent: PinnedAgent, o: UpstreamRequest) {
    this.#agent = agent;
    this.#o = o;
    // Whoever started it may have left before the answer fails.
    this.#head.promise.catch(ignore);
    this.#request = this.#open();
    this.#send(o.body).catch((error: unknown) => this.abort(asError(error)));
  }

  #open(): ClientRequest {
    const o = this.#o;
    this.#tries += 1;
    const request = openRequest({
      agent: this.#agent,
      method: o.method,
      path: o.target,
      headers: rawHeaders(o),
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: LIMITS.headBytes,
    });
    request
      .setTimeout(o.timeoutMs, () => this.#late())
      .on('response', (incoming) => this.#receive(incoming))
      .on('upgrade', () => this.abort(malformed('it switches protocols, which nobody asked for')))
      .on('error', (error) => this.#broken(error));
    // Zero: fields are counted and refused by us, never dropped by Node.
    request.maxHeadersCount = 0;
    return request;
  }

  /** The head of the answer. Rejects with a `Refusal`. */
  response(): Promise<UpstreamResponse> {
    return this.#head.promise;
  }

  abort(reason: Error): void {
    if (this.#ended || this.#fault !== null) return;
    this.#fail(reason);
    this.#request.destroy();
    this.#incoming?.destroy();
  }

  #late(): void {
    this.abort(new Refusal('upstream_timeout'));
  }

  /**
   * A server may close a kept connection in the moment in which it is used again. What changes nothing when it is
   * done twice is sent once more, on a fresh connection (RFC 9112 section 9.3.1, RFC 9110 section 9.2.2).
   */
  #broken(error: Error): void {
    const { method, body } = this.#o;
    const harmless = IDEMPOTENT.has(method) && body === null;
    const stale = this.#request.reusedSocket && this.#incoming === null && isBroken(error);
    if (!stale || !harmless || this.#tries > 1 || this.#fault !== null) {
      this.#fail(upstreamFault(error));
      return;
    }
    // The others that were kept as long are as likely gone.
    this.#agent.dropIdle();
    this.#request = this.#open();
    this.#request.end();
  }

  #fail(reason: Error): void {
    clearTimeout(this.#headTimer);
    this.#fault ??= reason;
    this.#head.reject(this.#fault);
  }

  async #send(body: AsyncIterable<Uint8Array> | null): Promise<void> {
    if (body !== null) {
      for await (const chunk of body) {
        if (this.#fault !== null || this.#request.destroyed) return;
        if (!this.#request.write(chunk)) await this.#drained();
      }
    }
    // Interim answers (103, say) keep a connection from being silent, and could go on for ever.
    this.#headTimer = setTimeout(() => this.#late(), this.#o.timeoutMs);
    if (this.#fault !== null || this.#incoming !== null) clearTimeout(this.#headTimer);
    this.#request.end();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#request.off('drain', done).off('close', done);
        resolve();
      };
      this.#request.once('drain', done).once('close', done);
    });
  }

  #receive(incoming: IncomingMessage): void {
    clearTimeout(this.#headTimer);
    this.#incoming = incoming;
    // Whoever reads gets the fault; before that nobody listens.
    incoming.on('error', (error) => this.#fail(upstreamFault(error)));
    const fault = faultOf(incoming);
    if (fault !== null) {
      this.abort(fault);
      return;
    }
    const headers = toHeaderList(incoming.rawHeaders);
    const tell = (whole: Uint8Array | null): void => {
      if (this.#fault !== null) return;
      if (whole !== null) this.#through();
      this.#head.resolve({
        status: incoming.statusCode ?? 0,
        reason: incoming.statusMessage ?? '',
        headers,
        body: whole ?? this.#read(incoming),
        trailers: () => toHeaderList(incoming.rawTrailers),
      });
    };
    settled(incoming, headers, (whole) => {
      if (whole === null) tell(null);
      else void endOfTurn().then(() => tell(whole));
    });
  }

  #through(): void {
    this.#ended = true;
    // An answer before the request was whole (a 413, say): what is left of the body has no reader. A head alone left
    // long ago; Node only may not have said so yet.
    if (this.#o.body !== null && !this.#request.writableFinished) this.#request.destroy();
  }

  async *#read(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      yield* incoming;
      if (!incoming.complete) throw this.#fault ?? malformed('it ends early');
      this.#through();
    } catch (error) {
      throw this.#fault ?? upstreamFault(asError(error));
    } finally {
      if (!this.#ended) this.abort(new Refusal('client_gone', { internal: 'the reader of the answer left' }));
    }
  }
}

const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** The connection went away, rather than the time or the answer being wrong. */
function isBroken(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function rawHeaders(o: UpstreamRequest): string[] {
  const raw: string[] = ['host', o.authority];
  for (const [name, value] of o.headers) raw.push(name, value);
  if (o.contentLength !== null) raw.push('content-length', String(o.contentLength));
  else if (o.body !== null) raw.push('transfer-encoding', 'chunked');
  return raw;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function ignore(): void {
  // Told by `body` too.
}
