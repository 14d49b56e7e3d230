import type { IncomingMessage } from 'node:http';
import { type HeaderList, LIMITS, Refusal } from '../../core/index.ts';
import { toHeaderList, valuesOf } from '../ingress/fields.ts';

/** An answer up to this length is waited for: if it turns out broken, the agent gets a clean 502. */
const WHOLE_BYTES = 16 * 1024;
/** … but never for long: an upstream that thinks aloud (event streams) is passed on as it speaks. */
const HOLD_MS = 20;

/** What Node's parser lets through and we don't (RFC 9112 sections 2.3, 4, 6.1). */
export function faultOf(incoming: IncomingMessage): Refusal | null {
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
export function settled(incoming: IncomingMessage, headers: HeaderList, then: () => void): void {
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

export function malformed(why: string): Refusal {
  return new Refusal('upstream_malformed', { detail: `The answer of the service is not accepted: ${why}.` });
}
