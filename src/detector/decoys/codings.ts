import { base32, base64 } from './base-codings.ts';
import type { Budget } from './budget.ts';
import { isMarked, unpacked } from './packed.ts';
import { NOT_PLAIN, plainIn } from './plain.ts';

/** A way to write text in other characters: what a text says when it is read so, in one text for each way to do it. */
type Coding = (text: string, budget: Budget) => readonly string[];

const HEX_RUN = /(?:(?:0x|\\x)?[0-9a-fA-F]{2}h?[^0-9a-zA-Z\r\n]{0,3}){6,}/g;
const DECIMAL_RUN = /(?:\d{2,3}[^\d\r\n]{1,4}){6,}\d{2,3}/g;
const BINARY_RUN = /(?:[01]{8}[^01]{0,3}){6,}/g;
const ASCII85_RUN = /<~([!-uz\s]{8,})~>|([!-uz]{12,})/g;
/** Between what two runs say: no part of a run itself. */
const BORDER = '\r';

/** The codings that a text is read in, each of them linear in the text. */
export const CODINGS: readonly Coding[] = [
  inPlace,
  quotedPrintable,
  base64,
  base32,
  hex,
  decimal,
  binary,
  ascii85,
];

/** Writings of single characters, all of them read in one go: one text more for each depth, and not one for each of them. */
function inPlace(text: string): readonly string[] {
  const read = escapes(entities(percent(text)));
  return read === text ? [] : [read];
}

function percent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => charOf(digits, 16));
}

const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    lowbar: '_',
    hyphen: '-',
    dash: '-',
    period: '.',
    commat: '@',
    sol: '/',
    plus: '+',
    equals: '=',
    amp: '&',
  }),
);

function entities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-z]{3,8}));?/g,
    (whole, ten, sixteen, name) => {
      if (ten !== undefined) return charOf(ten, 10);
      return sixteen === undefined ? (NAMED.get(name) ?? whole) : charOf(sixteen, 16);
    },
  );
}

function escapes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\{1,8}(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|[ux]\{([0-9a-fA-F]{1,6})\}|([0-3][0-7]{2}))/g,
    (_, two, four, braced, octal) =>
      octal === undefined ? charOf(two ?? four ?? braced, 16) : charOf(octal, 8),
  );
}

/** By itself: an equals sign is everywhere, and what follows it is spoiled where it is none of these. */
function quotedPrintable(text: string): readonly string[] {
  if (!text.includes('=')) return [];
  const read = text
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9a-fA-F]{2})/g, (_, digits: string) => charOf(digits, 16));
  return read === text ? [] : [read];
}

function hex(text: string, budget: Budget): readonly string[] {
  const even: Buffer[] = [];
  const odd: Buffer[] = [];
  for (const [run] of text.matchAll(HEX_RUN)) {
    const digits = run.replace(/0x|\\x/g, '').replace(/[^0-9a-fA-F]/g, '');
    even.push(Buffer.from(digits, 'hex'));
    if (digits.length % 2 === 1) odd.push(Buffer.from(digits.slice(1), 'hex'));
  }
  return [spoken(even), spoken(odd), ...even.flatMap((bytes) => unpacked(bytes, budget))];
}

/** What several runs of bytes say. */
function spoken(runs: readonly Uint8Array[]): string {
  return runs.length === 0 ? '' : plainIn(Buffer.concat(runs.flatMap((run) => [run, Buffer.of(NOT_PLAIN)])));
}

function decimal(text: string): readonly string[] {
  const runs = text.match(DECIMAL_RUN) ?? [];
  return [runs.map((run) => (run.match(/\d+/g) ?? []).map((code) => charOf(code, 10)).join('')).join(BORDER)];
}

function binary(text: string): readonly string[] {
  const runs = text.match(BINARY_RUN) ?? [];
  return [
    runs.map((run) => (run.match(/[01]{8}/g) ?? []).map((byte) => charOf(byte, 2)).join('')).join(BORDER),
  ];
}

function ascii85(text: string, budget: Budget): readonly string[] {
  const runs: Uint8Array[] = [];
  for (const match of text.matchAll(ASCII85_RUN)) {
    if (match[1] === undefined && !/[!"#$'()*,;<>@[\\\]^`]/.test(match[0])) continue;
    runs.push(bytesOf85((match[1] ?? match[2] ?? '').replace(/\s/g, '').replaceAll('z', '!!!!!')));
  }
  // Code and links look like it: what was packed has to be marked as that.
  return [spoken(runs), ...runs.flatMap((bytes) => (isMarked(bytes) ? unpacked(bytes, budget) : []))];
}

function bytesOf85(run: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(run.length / 5) * 4);
  let length = 0;
  for (let at = 0; at + 1 < run.length; at += 5) {
    let value = 0;
    for (let next = at; next < at + 5; next += 1)
      value = value * 85 + (next < run.length ? run.charCodeAt(next) - 33 : 84);
    const count = Math.min(4, run.length - at - 1);
    for (let byte = 0; byte < count; byte += 1)
      bytes[length++] = Math.floor(value / 2 ** (24 - 8 * byte)) & 0xff;
  }
  return bytes.subarray(0, length);
}

function charOf(digits: string, radix: number): string {
  const code = Number.parseInt(digits, radix);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
