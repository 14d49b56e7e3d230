import { errors } from 'undici';
import { Refusal, type RefusalCode } from '../../core/index.ts';

/** What each failure of the HTTP client means; one line a family. Others: the service can't be reached. */
const CODES: ReadonlyMap<string, RefusalCode> = new Map([
  ['UND_ERR_HEADERS_TIMEOUT', 'upstream_timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'upstream_timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'upstream_malformed'],
  ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'upstream_malformed'],
  ['UND_ERR_RESPONSE', 'upstream_malformed'],
  ['ETIMEDOUT', 'upstream_unreachable'],
]);

/** A failure of the exchange as a refusal. The cause goes into the record, never onto the wire. */
export function upstreamFault(error: Error): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.HTTPParserError) return refusal('upstream_malformed', error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'UND_ERR_SOCKET' && /upgrade|bad response|invalid/i.test(error.message)) {
    return refusal('upstream_malformed', error);
  }
  return refusal(CODES.get(code) ?? 'upstream_unreachable', error);
}

function refusal(code: RefusalCode, cause: Error): Refusal {
  return new Refusal(code, { cause, internal: `${cause.name}: ${cause.message}`.slice(0, 300) });
}
