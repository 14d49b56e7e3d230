import { type HeaderList, Refusal } from '../../core/index.ts';

/** Content codings that are decoded, by every name they go under (RFC 9110 section 8.4.1, RFC 8878). */
const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ['zstd', 'zstd'],
]);

export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** More layers than this nobody sends in good faith. */
const MAX_LAYERS = 4;

/**
 * The codings of a body, in the order in which they were applied; empty for a plain one. Throws
 * `Refusal('upstream_coding')` for a coding that can't be decoded: what can't be read can't be scrubbed.
 */
export function contentCodings(headers: HeaderList): readonly ContentCoding[] {
  const names = headers
    .filter(([name]) => name.toLowerCase() === 'content-encoding')
    .flatMap(([, value]) => value.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  if (names.length > MAX_LAYERS) {
    throw new Refusal('upstream_coding', { detail: `The answer has ${names.length} layers of coding.` });
  }
  return names.map((name) => {
    const coding = CODINGS.get(name);
    if (coding !== undefined) return coding;
    throw new Refusal('upstream_coding', { internal: `content-encoding ${name.slice(0, 40)}` });
  });
}

/** `Accept-Encoding` with the codings alone that can be decoded; never empty, since absence means "any". */
export function acceptableCodings(value: string | null): string {
  const kept = (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => {
      const match = /^([A-Za-z-]+)(\s*;\s*[qQ]=(0(\.\d{0,3})?|1(\.0{0,3})?))?$/.exec(item);
      const name = match?.[1]?.toLowerCase() ?? '';
      return name === 'identity' || CODINGS.has(name);
    });
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
