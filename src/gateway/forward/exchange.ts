import { type Agent, type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { type HeaderList, LIMITS, Refusal } from '../../core/index.ts';
import { toHeaderList, valuesOf } from '../ingress/fields.ts';
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
  readonly body: AsyncIterable<Uint8Array>;
  /** Complete once the body has ended. */
  trailers(): HeaderList;
}

/** An answer up to this length is waited for: if it turns out broken, the agent gets a clean 502. */
const WHOLE_BYTES = 16 * 1024;
/** … but never for long: an upstream that thinks aloud (event streams) is passed on as it speaks. */
const HOLD_MS = 20;

/**
 * One request to an upstream and its answer, with backpressure both ways. `abort` ends it at any moment: the
 * upstream's connection is closed, and whoever reads the answer gets the reason.
 */
export class Exchange {
  readonly #request: ClientRequest;
  readonly #head = Promise.withResolvers<UpstreamResponse>();
  #incoming: IncomingMessage | null = null;
  #ended = false;
  #fault: Error | null = null;

  static start(agent: Agent, request: UpstreamRequest): Exchange {
    return new Exchange(agent, request);
  }

  private constructor(agent: Agent, o: UpstreamRequest) {
    // Whoever started it may have left before the answer fails.
    this.#head.promise.catch(ignore);
    this.#request = openRequest({
      agent,
      method: o.method,
      path: o.target,
      headers: rawHeaders(o),
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: LIMITS.headBytes,
    });
    this.#request
      .setTimeout(o.timeoutMs, () => this.abort(new Refusal('upstream_timeout')))
      .on('response', (incoming) => this.#receive(incoming))
      .on('upgrade', () => this.abort(malformed('it switches protocols, which nobody asked for')))
      .on('error', (error) => this.#fail(upstreamFault(error)));
    // Zero: fields are counted and refused by us, never dropped by Node.
    this.#request.maxHeadersCount = 0;
    this.#send(o.body).catch((error: unknown) => this.abort(asError(error)));
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

  #fail(reason: Error): void {
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
    this.#incoming = incoming;
    // Whoever reads gets the fault; before that nobody listens.
    incoming.on('error', (error) => this.#fail(upstreamFault(error)));
    const fault = faultOf(incoming);
    if (fault !== null) {
      this.abort(fault);
      return;
    }
    const headers = toHeaderList(incoming.rawHeaders);
    settled(incoming, headers, () => {
      if (this.#fault !== null) return;
      this.#head.resolve({
        status: incoming.statusCode ?? 0,
        reason: incoming.statusMessage ?? '',
        headers,
        body: this.#read(incoming),
        trailers: () => toHeaderList(incoming.rawTrailers),
      });
    });
  }

  async *#read(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
    try {
      yield* incoming;
      if (!incoming.complete) throw this.#fault ?? malformed('it ends early');
      this.#ended = true;
      // An answer before the request was whole (a 413, say): what is left of the body has no reader.
      if (!this.#request.writableFinished) this.#request.destroy();
    } catch (error) {
      throw this.#fault ?? upstreamFault(asError(error));
    } finally {
      if (!this.#ended) this.abort(new Refusal('client_gone', { internal: 'the reader of the answer left' }));
    }
  }
}

function rawHeaders(o: UpstreamRequest): string[] {
  const raw: string[] = ['host', o.authority];
  for (const [name, value] of o.headers) raw.push(name, value);
  if (o.contentLength !== null) raw.push('content-length', String(o.contentLength));
  else if (o.body !== null) raw.push('transfer-encoding', 'chunked');
  return raw;
}

/** What Node's parser lets through and we don't (RFC 9112 sections 2.3, 4, 6.1). */
function faultOf(incoming: IncomingMessage): Refusal | null {
  const { httpVersion, statusCode = 0, rawHeaders } = incoming;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return malformed('it is no HTTP/1.1');
  if (statusCode < 200 || statusCode > 599) return malformed('its status is no final status');
  if (rawHeaders.length / 2 > LIMITS.headerFields) return malformed('it has too many fields');
  const headers = toHeaderList(rawHeaders);
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.some((coding) => coding.trim().toLowerCase() !== 'chunked') || codings.length > 1) {
    return malformed('its transfer coding is not plain chunked');
  }
  const lengths = valuesOf(headers, 'content-length');
  if (lengths.length + codings.length > 1) return malformed('its length is said more than once');
  return null;
}

/** Calls `then` when the first bytes are here, a short answer whole; at the latest after a moment. */
function settled(incoming: IncomingMessage, headers: HeaderList, then: () => void): void {
  const [length] = valuesOf(headers, 'content-length');
  const wholeWanted = length !== undefined && Number(length) <= WHOLE_BYTES;
  if (incoming.complete) {
    then();
    return;
  }
  const finish = () => {
    clearTimeout(timer);
    incoming.off('readable', check).off('close', finish);
    then();
  };
  const check = () => {
    if (!wholeWanted || incoming.complete) finish();
  };
  const timer = setTimeout(finish, HOLD_MS);
  incoming.on('readable', check).on('close', finish);
}

function malformed(why: string): Refusal {
  return new Refusal('upstream_malformed', { detail: `The answer of the service is not accepted: ${why}.` });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function ignore(): void {
  // Told by `body` too.
}
