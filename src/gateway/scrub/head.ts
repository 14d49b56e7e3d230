import type { HeaderList } from '../../core/index.ts';
import { acceptableCodings } from './codings.ts';

/**
 * Fields that ask for parts or for digests of an answer. Two ranges could split a secret so that neither
 * holds it; a delta (RFC 3229) is a coding that we can't undo.
 */
const PARTIAL: ReadonlySet<string> = new Set([
  'range',
  'if-range',
  'a-im',
  'want-content-digest',
  'want-repr-digest',
  'want-digest',
]);

/** Digests of the body as it was coded upstream (RFC 9530, RFC 1864). */
const DIGESTS: ReadonlySet<string> = new Set(['content-digest', 'repr-digest', 'digest', 'content-md5']);

/** The fields of a request that carries a credential, changed so that its answer can be scrubbed. */
export function requestHeadersForScrub(headers: HeaderList): HeaderList {
  const asked = headers
    .filter(([name]) => name.toLowerCase() === 'accept-encoding')
    .map(([, value]) => value);
  const kept = headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return lower !== 'accept-encoding' && !PARTIAL.has(lower);
  });
  return [...kept, ['accept-encoding', acceptableCodings(asked.length === 0 ? null : asked.join(','))]];
}

/** True when a field tells something about the whole body that scrubbing may make untrue. */
export function hasDigest(headers: HeaderList): boolean {
  return headers.some(([name]) => DIGESTS.has(name.toLowerCase()));
}

interface BodyOutcome {
  /** The body leaves without the content coding it came in. */
  readonly decoded: boolean;
  /** Whether something was masked; `unknown` while the body streams. */
  readonly changed: 'yes' | 'no' | 'unknown';
}

/**
 * The fields of an answer, made true for the body that leaves. The mask is as wide as what it covers, so the
 * length stays unless the body was decoded. The entity tag stays (it names the upstream's version, and agents
 * send it back in If-Match), but as a weak one when it named other bytes (RFC 9110 section 8.8.1).
 */
export function responseHeadersAfterScrub(headers: HeaderList, outcome: BodyOutcome): HeaderList {
  const kept: (readonly [string, string])[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (outcome.decoded && (lower === 'content-encoding' || lower === 'content-length')) continue;
    if (outcome.decoded && lower === 'accept-ranges') continue;
    if (DIGESTS.has(lower) && (outcome.decoded || outcome.changed !== 'no')) continue;
    const otherBytes = outcome.decoded || outcome.changed === 'yes';
    kept.push([name, lower === 'etag' && otherBytes && value.startsWith('"') ? `W/${value}` : value]);
  }
  return kept;
}
