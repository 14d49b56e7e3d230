/** A spelling: for each byte of the written form, the bytes that may stand there (both cases of a digit). */
export type Spelling = readonly (readonly number[])[];

const NAMED_ENTITIES: ReadonlyMap<number, readonly string[]> = new Map([
  [0x22, ['quot']],
  [0x26, ['amp']],
  [0x27, ['apos']],
  [0x3c, ['lt']],
  [0x3e, ['gt']],
]);

/** SQL and CSV double a quote, a shell leaves its quotes for one. */
const QUOTED: ReadonlyMap<number, readonly string[]> = new Map([
  [0x22, ['""']],
  [0x27, ["''", "'\\''"]],
]);

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x08, '\\b'],
  [0x09, '\\t'],
  [0x0a, '\\n'],
  [0x0c, '\\f'],
  [0x0d, '\\r'],
  [0x22, '\\"'],
  [0x27, "\\'"],
  [0x2f, '\\/'],
  [0x5c, '\\\\'],
]);

/** JSON inside JSON inside JSON: what an MCP result that quotes an API's answer looks like. */
const JSON_LEVELS = 3;

/** Renderers pad numeric entities; more digits than this no renderer writes. */
const ENTITY_DIGITS = 7;

const encoder = new TextEncoder();

/**
 * Every way in which one character may be written in text: itself, percent-encoded once or twice, as form
 * data, quoted-printable, C (hex and octal), JSON (three levels deep), HTML, SQL and shell escapes.
 * `codePoint` is the Unicode scalar value, or null for a byte that is part of no UTF-8 text; `bytes` are what
 * it is in the secret.
 */
export function spellingsOf(codePoint: number | null, bytes: readonly number[]): readonly Spelling[] {
  const found: Spelling[] = [bytes.map((byte) => [byte])];
  for (const prefix of ['%', '%25', '=', ...levels('\\x')]) {
    found.push(bytes.flatMap((byte) => [...exactly(prefix), ...hexDigits(byte, 2)]));
  }
  for (const prefix of levels('\\')) {
    found.push(bytes.flatMap((byte) => exactly(prefix + byte.toString(8).padStart(3, '0'))));
  }
  if (codePoint === 0x20) found.push(exactly('+'));
  for (const quoted of QUOTED.get(codePoint ?? 0) ?? []) found.push(exactly(quoted));
  const scalar = codePoint ?? bytes[0] ?? 0;
  const units = utf16Units(scalar);
  for (const prefix of levels('\\u')) {
    found.push(units.flatMap((unit) => [...exactly(prefix), ...hexDigits(unit, 4)]));
  }
  for (const prefix of ['\\u{', '\\x{']) {
    found.push([...exactly(prefix), ...hexDigits(scalar, 2), ...exactly('}')]);
  }
  const short = SHORT_ESCAPES.get(scalar);
  if (short !== undefined) for (const spelling of levels(short)) found.push(exactly(spelling));
  for (const entity of entities(scalar)) {
    found.push([...exactly('&'), ...entity], [...exactly('&amp;'), ...entity]);
  }
  return found;
}

/** The UTF-16 code units of a scalar value: one, or a surrogate pair. */
export function utf16Units(scalar: number): readonly number[] {
  if (scalar < 0x10000) return [scalar];
  const rest = scalar - 0x10000;
  return [0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff)];
}

/** Both cases of each hex digit of `value`, in at least `digits` digits. */
export function hexDigits(value: number, digits: number): Spelling {
  return anyCase(value.toString(16).padStart(digits, '0'));
}

export function exactly(text: string): Spelling {
  return [...encoder.encode(text)].map((byte) => [byte]);
}

function entities(scalar: number): Spelling[] {
  const found: Spelling[] = (NAMED_ENTITIES.get(scalar) ?? []).map((name) => exactly(`${name};`));
  for (const digits of padded(scalar.toString(10))) found.push(exactly(`#${digits};`));
  for (const digits of padded(scalar.toString(16))) {
    found.push([...exactly('#'), ...anyCase('x'), ...anyCase(digits), ...exactly(';')]);
  }
  return found;
}

function padded(digits: string): string[] {
  const found = [digits];
  for (let length = digits.length + 1; length <= ENTITY_DIGITS; length++) {
    found.push(digits.padStart(length, '0'));
  }
  return found;
}

function levels(written: string): string[] {
  const found = [written];
  for (let level = 1; level < JSON_LEVELS; level++) {
    found.push((found[level - 1] ?? '').replaceAll(/["\\]/g, (character) => `\\${character}`));
  }
  return found;
}

function anyCase(text: string): Spelling {
  return [...text].map((character) => {
    const lower = character.toLowerCase().charCodeAt(0);
    const upper = character.toUpperCase().charCodeAt(0);
    return lower === upper ? [lower] : [lower, upper];
  });
}
