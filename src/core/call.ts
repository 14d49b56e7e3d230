import type { JsonValue } from './json.ts';
import type { Origin, Service } from './service.ts';

/** The way by which a call came in. */
export type Door = 'reverse' | 'forward' | 'intercept' | 'decide';

/** Header fields in the order of the wire; names in lower case; values without leading or trailing space. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export type CallBody =
  | { readonly kind: 'none' }
  /** Read whole, so that policy and approvals can see it. `digest`: base64url of SHA-256. */
  | { readonly kind: 'buffered'; readonly bytes: Uint8Array; readonly digest: string }
  /** Passed on as it comes. `length` is null for chunked bodies. */
  | { readonly kind: 'stream'; readonly length: number | null; readonly stream: AsyncIterable<Uint8Array> };

interface CallBase {
  readonly id: string;
  readonly tenant: string;
  readonly door: Door;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/**
 * One HTTP request in canonical form: what policy sees is what approvals hash, what audit records and what
 * goes on the wire (G3). Only `gateway/ingress` makes one.
 */
export interface HttpCall extends CallBase {
  readonly kind: 'http';
  readonly service: Service;
  readonly origin: Origin;
  /** Upper case. */
  readonly method: string;
  /** Canonical; begins with a slash; no dot segments. */
  readonly path: string;
  /** Canonical query without the question mark; empty when there is none. */
  readonly query: string;
  /** The fields that go upstream, before injection: no hop-by-hop field, no passport, no proof. */
  readonly headers: HeaderList;
  readonly body: CallBody;
}

/** A tool call that a host hook or an SDK asks about before it runs (`POST /v1/decide`). */
export interface ToolCall extends CallBase {
  readonly kind: 'tool';
  readonly door: 'decide';
  readonly tool: string;
  readonly args: JsonValue;
  /** The host's own ids, opaque to us. */
  readonly hostSessionId: string;
  readonly hostCallId: string;
}

export type Call = HttpCall | ToolCall;

/** How a passport was shown; made by ingress, read by passport/ alone. */
export interface PresentedPassport {
  readonly scheme: 'DPoP' | 'Bearer';
  readonly token: string;
  /** The values of all DPoP proof fields; more than one is an error (RFC 9449 section 4.3). */
  readonly proofs: readonly string[];
  /** What the proof must name: method and target URI without query and fragment. */
  readonly htm: string;
  readonly htu: string;
  /** base64url SHA-256 of the certificate that the client showed in our TLS handshake. */
  readonly x5t?: string | null;
  /** True when the peer is on the loopback interface: Bearer passports may be allowed there alone. */
  readonly loopback: boolean;
}
