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

/**
 * Calls `then` when the first bytes are here, at the latest after a moment. A short answer is read whole meanwhile,
 * and handed over as it is; of one that was not through in time the chunks that came are put back.
 */
export function settled(
  incoming: IncomingMessage,
  headers: HeaderList,
  then: (whole: Uint8Array | null) => void,
): void {
  const [length] = valuesOf(headers, 'content-length');
  if (length !== undefined && Number(length) <= WHOLE_BYTES) readWhole(incoming, then);
  else waitForBytes(incoming, () => then(null));
}

function readWhole(incoming: IncomingMessage, then: (whole: Uint8Array | null) => void): void {
  const chunks: Buffer[] = [];
  const stop = () => {
    clearTimeout(timer);
    incoming.off('data', take).off('end', end).off('close', late);
  };
  const take = (chunk: Buffer) => void chunks.push(chunk);
  const end = () => {
    stop();
    then(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
  };
  const late = () => {
    stop();
    incoming.pause();
    for (const chunk of chunks.reverse()) incoming.unshift(chunk);
    then(null);
  };
  const timer = setTimeout(late, HOLD_MS);
  incoming.on('data', take).on('end', end).on('close', late);
}

function waitForBytes(incoming: IncomingMessage, then: () => void): void {
  if (incoming.complete) {
    then();
    return;
  }
  const finish = () => {
    clearTimeout(timer);
    incoming.off('readable', finish).off('close', finish);
    then();
  };
  const timer = setTimeout(finish, HOLD_MS);
  incoming.on('readable', finish).on('close', finish);
}

export function malformed(why: string): Refusal {
  return new Refusal('upstream_malformed', { detail: `The answer of the service is not accepted: ${why}.` });
}
