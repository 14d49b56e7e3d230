import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';

/** A way to write text in other characters. */
type Coding = (text: string, budget: Budget) => Iterable<string>;

/** What reading one call may still cost. */
export interface Budget {
  /** Pieces that may be unpacked. */
  unpacks: number;
  /** Runs of letters that may be decoded. */
  runs: number;
}

/** What one packed piece may grow to; a decoy is short. */
const MAX_UNPACKED = 128 * 1024;
/** Shorter runs hold no decoy, nor a piece of one that counts. */
const MIN_RUN = 8;
/** Nothing that was packed is shorter and holds one. */
const MIN_PACKED = 12;
const TEXT_SHARE = 0.8;

const BASE64_RUN = /[A-Za-z0-9+/_-]{8,}/g;
/** Unpacking is dear: not for words, which are of one case or have no digit in them. */
const LOOKS_PACKED = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{24,}$/;
const BASE32_RUN = /[A-Za-z2-7]{16,}/g;
const HEX_RUN = /(?:(?:0x|\\x)?[0-9a-fA-F]{2}h?[^0-9a-zA-Z\r\n]{0,3}){6,}/g;
const DECIMAL_RUN = /(?:\d{2,3}[^\d\r\n]{1,4}){6,}\d{2,3}/g;
const BINARY_RUN = /(?:[01]{8}[^01]{0,3}){6,}/g;
const ASCII85_RUN = /<~([!-uz\s]{8,})~>|([!-uz]{12,})/g;

const UNPACK = [gunzipSync, inflateSync, zstdDecompressSync, brotliDecompressSync, inflateRawSync] as const;

/** The codings that a text is read in, each of them linear in the text. */
export const CODINGS: readonly Coding[] = [
  percent,
  entities,
  escapes,
  quotedPrintable,
  base64,
  base32,
  hex,
  decimal,
  binary,
  ascii85,
];

/** What bytes say, if anything: as text, or unpacked where they are packed and that may be tried. */
export function* readBytes(bytes: Buffer, budget: Budget | null): Iterable<string> {
  if (bytes.length < MIN_RUN / 2) return;
  if (isText(bytes)) {
    yield bytes.toString('utf8');
    return;
  }
  if (budget === null || bytes.length < MIN_PACKED) return;
  for (const unpack of packedBy(bytes)) {
    if (budget.unpacks === 0) return;
    budget.unpacks -= 1;
    try {
      yield unpack(bytes, { maxOutputLength: MAX_UNPACKED }).toString('utf8');
    } catch {
      // It only looked packed.
    }
  }
}

function packedBy(bytes: Buffer): readonly (typeof UNPACK)[number][] {
  const [gunzip, inflate, unzstd, brotli, inflateRaw] = UNPACK;
  const first = bytes[0] ?? 0;
  const second = bytes[1] ?? 0;
  if (first === 0x1f && second === 0x8b) return [gunzip];
  if (first === 0x28 && second === 0xb5) return [unzstd];
  if ((first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0) return [inflate];
  // Brotli and bare deflate have no mark.
  return [brotli, inflateRaw];
}

/** Mostly what people write; zero bytes are those of UTF-16. What was decoded out of step is not. */
function isText(bytes: Buffer): boolean {
  const looked = bytes.subarray(0, 256);
  let plain = 0;
  for (const byte of looked) if (byte === 0 || (byte >= 0x09 && byte < 0x7f)) plain += 1;
  return plain >= looked.length * TEXT_SHARE;
}

function* percent(text: string): Iterable<string> {
  if (!text.includes('%')) return;
  yield text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => charOf(digits, 16));
}

const NAMED: Readonly<Record<string, string>> = {
  lowbar: '_',
  hyphen: '-',
  dash: '-',
  period: '.',
  commat: '@',
  sol: '/',
  plus: '+',
  equals: '=',
  amp: '&',
};

function* entities(text: string): Iterable<string> {
  if (!text.includes('&')) return;
  yield text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{3,8}));?/g,
    (whole, ten, sixteen, name) => {
      if (ten !== undefined) return charOf(ten, 10);
      return sixteen === undefined ? (NAMED[name] ?? whole) : charOf(sixteen, 16);
    },
  );
}

function* escapes(text: string): Iterable<string> {
  if (!text.includes('\\')) return;
  yield text.replace(
    /\\{1,8}(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|[ux]\{([0-9a-fA-F]{1,6})\}|([0-3][0-7]{2}))/g,
    (_, two, four, braced, octal) =>
      octal === undefined ? charOf(two ?? four ?? braced, 16) : charOf(octal, 8),
  );
}

function* quotedPrintable(text: string): Iterable<string> {
  if (!text.includes('=')) return;
  yield text.replace(/=\r?\n/g, '').replace(/=([0-9a-fA-F]{2})/g, (_, digits: string) => charOf(digits, 16));
}

function* base64(text: string, budget: Budget): Iterable<string> {
  for (const source of text.includes('\n') ? [text, text.replace(/\s+/g, '')] : [text]) {
    for (const [run] of source.matchAll(BASE64_RUN)) {
      if (budget.runs === 0) return;
      budget.runs -= 1;
      yield* readBytes(Buffer.from(run, 'base64'), LOOKS_PACKED.test(run) ? budget : null);
      // What stands in front of it (a path, a word) may be of the same letters: every alignment.
      for (let skip = 1; skip < 4; skip += 1) yield* readBytes(Buffer.from(run.slice(skip), 'base64'), null);
    }
  }
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

function* base32(text: string, budget: Budget): Iterable<string> {
  // Names of hosts are what base32 is used for: dots stand between its pieces.
  for (const [run] of text.replace(/[.\s-]+(?=[A-Za-z2-7])/g, '').matchAll(BASE32_RUN)) {
    const bytes: number[] = [];
    let bits = 0;
    let held = 0;
    for (const letter of run.toLowerCase()) {
      held = ((held << 5) | BASE32.indexOf(letter)) & 0xfff;
      bits += 5;
      if (bits < 8) continue;
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
    yield* readBytes(Buffer.from(bytes), budget);
  }
}

function* hex(text: string, budget: Budget): Iterable<string> {
  for (const [run] of text.matchAll(HEX_RUN)) {
    const digits = run.replace(/0x|\\x/g, '').replace(/[^0-9a-fA-F]/g, '');
    yield* readBytes(Buffer.from(digits, 'hex'), budget);
    if (digits.length % 2 === 1) yield* readBytes(Buffer.from(digits.slice(1), 'hex'), null);
  }
}

function* decimal(text: string): Iterable<string> {
  for (const [run] of text.matchAll(DECIMAL_RUN)) {
    const codes = run.match(/\d+/g) ?? [];
    yield codes.map((code) => charOf(code, 10)).join('');
  }
}

function* binary(text: string): Iterable<string> {
  for (const [run] of text.matchAll(BINARY_RUN)) {
    const bytes = run.match(/[01]{8}/g) ?? [];
    yield bytes.map((byte) => charOf(byte, 2)).join('');
  }
}

function* ascii85(text: string, budget: Budget): Iterable<string> {
  for (const match of text.matchAll(ASCII85_RUN)) {
    if (match[1] === undefined && !/[!"#$'()*,;<>@[\\\]^`]/.test(match[0])) continue;
    const run = (match[1] ?? match[2] ?? '').replace(/\s/g, '').replaceAll('z', '!!!!!');
    const bytes: number[] = [];
    for (let at = 0; at + 1 < run.length; at += 5) {
      const group = run.slice(at, at + 5);
      let value = 0;
      for (const letter of group.padEnd(5, 'u')) value = value * 85 + letter.charCodeAt(0) - 33;
      const four = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) & 0xff);
      bytes.push(...four.slice(0, group.length - 1));
    }
    yield* readBytes(Buffer.from(bytes), budget);
  }
}

function charOf(digits: string, radix: number): string {
  const code = Number.parseInt(digits, radix);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
