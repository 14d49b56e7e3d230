import { LIMITS, Refusal } from '../../core/index.ts';

export interface PathRules {
  /** `opaque`: `%2F` stays as one opaque byte, for policy and wire alike; `refuse`: it is refused. */
  readonly encodedSlash: 'refuse' | 'opaque';
}

// What each byte of a raw path is: 0 refused, 1 stays, 2 is escaped (RFC 3986 does not allow it raw, but no
// parser reads it as anything else).
const REFUSED = 0;
const PLAIN = 1;
const ESCAPED = 2;
const KIND = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%") {
  KIND[character.charCodeAt(0)] = PLAIN;
}
for (const character of '"<>[]^`{|}') KIND[character.charCodeAt(0)] = ESCAPED;

const SLASH = 0x2f;
const PERCENT = 0x25;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The one canonical form of a request path (without query): escapes of unreserved characters decoded, all
 * others in upper case, slashes collapsed, dot segments resolved. Throws `path_not_canonical` for everything
 * that a more lenient upstream may read as another path (G3; the attack is CVE-2019-9901 and its many
 * siblings): what is checked here is what is sent.
 */
export function canonicalPath(raw: string, rules: PathRules): string {
  if (raw.length > LIMITS.pathChars)
    throw new Refusal('request_too_large', { detail: 'The path is too long.' });
  if (raw.charCodeAt(0) !== SLASH) throw no('it does not begin with a slash');
  let text = '';
  let copied = 0;
  let hasEscape = false;
  let hasDotSegmentOrDoubleSlash = false;
  let hasParameters = false;
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    const kind = code < 128 ? KIND[code] : REFUSED;
    if (kind === PLAIN) {
      if (code === PERCENT) {
        const byte = escapedByte(raw, at);
        const replacement = canonicalEscape(byte, raw, at, rules);
        text += raw.slice(copied, at) + replacement;
        at += 2;
        copied = at + 1;
        if (replacement.length === 3) hasEscape = true;
        else if (byte === 0x2e) hasDotSegmentOrDoubleSlash = true;
      } else if (code === SLASH) {
        const next = raw.charCodeAt(at + 1);
        if (next === SLASH || next === 0x2e) hasDotSegmentOrDoubleSlash = true;
      } else if (code === 0x3b) hasParameters = true;
    } else if (kind === ESCAPED) {
      text += `${raw.slice(copied, at)}%${code.toString(16).toUpperCase()}`;
      copied = at + 1;
    } else throw no(describe(code));
  }
  text = copied === 0 ? raw : text + raw.slice(copied);
  if (hasDotSegmentOrDoubleSlash) text = resolveSegments(text);
  if (hasEscape || hasParameters) refuseOtherReadings(text);
  return text;
}

function escapedByte(raw: string, at: number): number {
  const high = hexValue(raw.charCodeAt(at + 1));
  const low = hexValue(raw.charCodeAt(at + 2));
  if (high < 0 || low < 0) throw no('it holds a percent sign without two hexadecimal digits');
  return high * 16 + low;
}

function canonicalEscape(byte: number, raw: string, at: number, rules: PathRules): string {
  if (byte < 0x20 || byte === 0x7f) throw no('it holds an escaped control byte');
  if (byte === 0x5c) throw no('it holds an escaped backslash');
  if (byte === SLASH && rules.encodedSlash === 'refuse') throw no('it holds an escaped slash');
  if (isUnreserved(byte)) return String.fromCharCode(byte);
  // The inner digits of a double escape stay as they are: only whole escapes are made canonical.
  return raw.slice(at, at + 3).toUpperCase();
}

function isUnreserved(byte: number): boolean {
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x41 && byte <= 0x5a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x5f ||
    byte === 0x7e
  );
}

export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/**
 * An upstream that decodes twice, folds full-width characters, reads `\\` as a slash, or cuts a segment at
 * `;`, `?`, `#` or NUL must not find a dot segment: after resolution there is none to our reading.
 */
function refuseOtherReadings(text: string): void {
  let reading = text;
  for (let round = 0; round < MAX_DECODINGS; round++) {
    if (hasDotSegment(reading)) throw no('another reading of it has dot segments');
    const decoded = decodeOnce(reading);
    if (decoded === reading) return;
    reading = decoded;
  }
  throw no('it is escaped many times over');
}

const MAX_DECODINGS = 6;
const ESCAPE_RUN = /(?:%[0-9A-Fa-f]{2})+/g;
const UNICODE_ESCAPE = /%[uU]([0-9A-Fa-f]{4})/g;

function decodeOnce(text: string): string {
  return text
    .replace(ESCAPE_RUN, (run) => {
      try {
        return utf8.decode(Buffer.from(run.replaceAll('%', ''), 'hex'));
      } catch {
        // Overlong forms (%C0%AF) and lone surrogates are read as `/` or `.` by some decoders.
        throw no('its escapes are not UTF-8');
      }
    })
    .replace(UNICODE_ESCAPE, (_all, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

// Characters that are no slash or dot to NFKC, but that best-fit code pages turn into one.
const LOOKS_LIKE_SLASH = /[\u2044\u2215\u2216\u29f5\u29f8\uff0f\uff3c\ufe68\\]/g;
const LOOKS_LIKE_DOT = /[\u3002\u2024\uff0e\uff61\ufe52]/g;
const SEPARATOR = /[/\\]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL cuts a path for parsers written in C.
const DOTS = /^\.\.?(?:[;?#\u0000]|$)/;

function hasDotSegment(reading: string): boolean {
  const folded = reading.normalize('NFKC').replace(LOOKS_LIKE_SLASH, '/').replace(LOOKS_LIKE_DOT, '.');
  return hasDots(reading) || (folded !== reading && hasDots(folded));
}

function hasDots(text: string): boolean {
  return text.split(SEPARATOR).some((segment) => DOTS.test(segment));
}

function resolveSegments(text: string): string {
  const kept: string[] = [];
  const segments = text.split('/');
  let endsInSlash = false;
  for (let index = 1; index < segments.length; index++) {
    const segment = segments[index] ?? '';
    endsInSlash = segment === '' || segment === '.' || segment === '..';
    if (segment === '..') {
      if (kept.pop() === undefined) throw no('it leaves the root');
    } else if (!endsInSlash) kept.push(segment);
  }
  return kept.length === 0 ? '/' : `/${kept.join('/')}${endsInSlash ? '/' : ''}`;
}

function describe(code: number): string {
  if (code === 0x5c) return 'it holds a backslash';
  if (code === 0x23) return 'it holds a fragment';
  if (code === 0x3f) return 'it holds a question mark';
  if (code <= 0x20 || code === 0x7f) return 'it holds a control byte or a space';
  return 'it holds a character outside ASCII';
}

function no(why: string): Refusal {
  return new Refusal('path_not_canonical', { detail: `The path is not accepted: ${why}.` });
}
