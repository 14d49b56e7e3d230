import type { IncomingMessage } from 'node:http';
import { type HeaderList, LIMITS, Refusal } from '../../core/index.ts';
import { type Authority, parseAuthority } from './authority.ts';
import { refuseOtherRequest } from './claim-fields.ts';
import { connectionOptions, refuseFoldedNames, toHeaderList, valuesOf } from './fields.ts';

/** A request head that every parser reads in the same way. */
export interface RequestHead {
  /** Upper case. */
  readonly method: string;
  /** As in the request line. */
  readonly target: string;
  readonly host: Authority;
  /** Names in lower case, as they came. */
  readonly headers: HeaderList;
  /** Fields that Connection names beside the usual ones. */
  readonly connectionOptions: ReadonlySet<string>;
  /** Null: no Content-Length. */
  readonly contentLength: number | null;
  readonly chunked: boolean;
}

/** TRACE answers with the request's own fields: an upstream would hand the injected secret back. */
const REFUSED_METHODS: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'PRI', 'SOURCE']);

/**
 * Checks what llhttp lets through: versions, several Host fields, a Host that is no host, framing that is
 * said twice, Connection fields that name what they may not (RFC 9112 sections 3.2, 6.1, 6.3; RFC 9110
 * section 7.6.1). Throws a `Refusal`; nothing of the request is used then.
 */
export function parseRequestHead(request: IncomingMessage): RequestHead {
  if (request.httpVersion !== '1.1') {
    throw new Refusal('protocol_unsupported', { detail: 'The gate speaks HTTP/1.1.' });
  }
  const method = request.method ?? '';
  if (REFUSED_METHODS.has(method)) {
    throw new Refusal('method_not_allowed', { detail: `The gate takes no ${method} requests.` });
  }
  const target = request.url ?? '';
  if (target.length > LIMITS.targetChars) {
    throw new Refusal('request_too_large', { detail: 'The request target is too long.' });
  }
  if (target.includes('#')) {
    throw new Refusal('request_malformed', { detail: 'A request target has no fragment.' });
  }
  if (request.rawHeaders.length / 2 > LIMITS.headerFields) {
    throw new Refusal('request_too_large', {
      detail: `The request has more than ${LIMITS.headerFields} fields.`,
    });
  }
  const headers = toHeaderList(request.rawHeaders);
  refuseFoldedNames(headers);
  refuseOtherRequest(headers, method);
  const hosts = valuesOf(headers, 'host');
  if (hosts.length !== 1) {
    throw new Refusal(hosts.length === 0 ? 'request_malformed' : 'request_ambiguous', {
      detail: 'The request needs exactly one Host field.',
    });
  }
  const framing = parseFraming(headers);
  refuseUpgrade(headers);
  return {
    method,
    target,
    host: parseHostField(hosts[0] ?? ''),
    headers,
    connectionOptions: connectionOptions(headers),
    ...framing,
  };
}

/** A bad Host is a malformed request (400), not an unknown destination. */
function parseHostField(value: string): Authority {
  try {
    return parseAuthority(value);
  } catch (cause) {
    throw new Refusal('request_malformed', { detail: 'The Host field names no host.', cause });
  }
}

function parseFraming(headers: HeaderList): { contentLength: number | null; chunked: boolean } {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (lengths.length + codings.length > 1) {
    throw new Refusal('request_ambiguous', { detail: 'The length of the body is said more than once.' });
  }
  const [coding] = codings;
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw new Refusal('request_malformed', {
      detail: 'The only transfer coding that the gate takes is chunked.',
    });
  }
  const [length] = lengths;
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) {
    throw new Refusal('request_malformed', { detail: 'Content-Length is not a plain number.' });
  }
  return { contentLength: length === undefined ? null : Number(length), chunked: coding !== undefined };
}

/** h2c is an offer that may be ignored (RFC 9110 section 7.8); whoever asks for WebSocket needs a clear no. */
function refuseUpgrade(headers: HeaderList): void {
  for (const value of valuesOf(headers, 'upgrade')) {
    if (value.trim().toLowerCase() === 'h2c') continue;
    throw new Refusal('protocol_unsupported', { detail: 'The gate does not switch protocols.' });
  }
}

/** Names that may stand in no trailer (RFC 9110 section 6.5.1): they would change what the head said. */
const NEVER_TRAILERS =
  /^(?:content-|transfer-encoding$|host$|authorization$|proxy-|dpop$|sallyport-|x-sallyport-|cookie$|set-cookie$|connection$|te$|trailer$|upgrade$|expect$|range$|if-|cache-control$|max-forwards$|www-authenticate$)/;

/** The trailers of an answer that mean nothing for its head: clients that merge them are not led on. */
export function harmlessTrailers(trailers: HeaderList): HeaderList {
  return trailers.filter(([name]) => !NEVER_TRAILERS.test(name) && name !== 'location');
}

/** Throws when a trailer section holds what may not stand there, or is too large. Trailers are not sent on. */
export function checkRequestTrailers(raw: readonly string[]): void {
  let bytes = 0;
  for (const [name, value] of toHeaderList(raw)) {
    bytes += name.length + value.length;
    if (NEVER_TRAILERS.test(name)) {
      throw new Refusal('request_malformed', { detail: 'A trailer field may not stand in a trailer.' });
    }
  }
  if (bytes > LIMITS.trailerBytes)
    throw new Refusal('request_too_large', { detail: 'The trailers are too long.' });
}
