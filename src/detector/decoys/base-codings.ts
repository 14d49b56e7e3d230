import type { Budget } from './budget.ts';
import { unpacked } from './packed.ts';
import { NOT_PLAIN, plainIn } from './plain.ts';

/** Shorter runs hold no piece of a decoy that counts. */
const MIN_BASE64 = 8;
const MIN_BASE32 = 16;
/** Nothing shorter is packed and holds a decoy. Unpacking is dear: not for words, which have one case or no digit. */
const MIN_PACKED_BASE64 = 24;
const LOOKS_PACKED = /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])/;
/** Programs write base32 in one case; base64 that happens to lack other letters is not. */
const ONE_CASE = /^(?:[A-Z2-7]+|[a-z2-7]+)$/;
const BROKEN_BASE32 = /[A-Za-z2-7][.\n-]+[A-Za-z2-7]/;

/** Letters of a base, each with its value; -1: it ends a run. */
interface Base {
  readonly bits: number;
  readonly values: Int8Array;
  readonly minRun: number;
}

const BASE64: Base = {
  bits: 6,
  values: valuesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', '-_', 62),
  minRun: MIN_BASE64,
};
const BASE32: Base = {
  bits: 5,
  values: valuesOf('abcdefghijklmnopqrstuvwxyz234567', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 0),
  minRun: MIN_BASE32,
};

/** What stands in front of a coded value (a path, a word) may be of the same letters: every alignment is read. */
export function base64(text: string, budget: Budget): readonly string[] {
  const sources = hasBrokenRun(text) ? [text, text.replace(/\r?\n[ \t]*/g, '')] : [text];
  return sources.flatMap((source) => {
    const runs = runsOf(source, BASE64);
    if (runs.length === 0) return [];
    const readings = [0, 1, 2, 3].map((skip) => plainIn(decode(source, BASE64, runs, skip)));
    for (const [from, to] of runs) {
      if (to - from < MIN_PACKED_BASE64) continue;
      const run = source.slice(from, to);
      if (LOOKS_PACKED.test(run)) readings.push(...unpacked(Buffer.from(run, 'base64'), budget));
    }
    return readings;
  });
}

/** Names of hosts are what base32 is used for: dots stand between its pieces. */
export function base32(text: string, budget: Budget): readonly string[] {
  const sources = BROKEN_BASE32.test(text) ? [text, text.replace(/[.\r\n-]+(?=[A-Za-z2-7])/g, '')] : [text];
  return sources.flatMap((source) => {
    const runs = runsOf(source, BASE32);
    if (runs.length === 0) return [];
    const readings = [0, 1, 2, 3, 4, 5, 6, 7].map((skip) => plainIn(decode(source, BASE32, runs, skip)));
    for (const run of runs)
      if (ONE_CASE.test(source.slice(...run)))
        readings.push(...unpacked(decode(source, BASE32, [run], 0).subarray(0, -1), budget));
    return readings;
  });
}

type Run = readonly [from: number, to: number];

/** Where the letters of a base stand that are enough to hold something. */
function runsOf(text: string, { values, minRun }: Base): readonly Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (isOf(values, text, at)) continue;
    if (at - from >= minRun) runs.push([from, at]);
    from = at + 1;
  }
  if (text.length - from >= minRun) runs.push([from, text.length]);
  return runs;
}

/** The bytes of all runs, each without its first characters; behind each stands a byte that is no text. */
function decode(text: string, { bits, values }: Base, runs: readonly Run[], skip: number): Uint8Array {
  let size = 0;
  for (const [from, to] of runs) size += to - from + 1;
  const bytes = new Uint8Array(size);
  let length = 0;
  for (const [from, to] of runs) {
    let held = 0;
    let has = 0;
    for (let at = from + skip; at < to; at += 1) {
      held = ((held << bits) | (values[text.charCodeAt(at)] as number)) & 0xfff;
      has += bits;
      if (has < 8) continue;
      has -= 8;
      bytes[length++] = (held >> has) & 0xff;
    }
    bytes[length++] = NOT_PLAIN;
  }
  return bytes.subarray(0, length);
}

/** Whether a run of base64 was broken for the length of lines. */
function hasBrokenRun(text: string): boolean {
  const { values } = BASE64;
  for (let end = text.indexOf('\n'); end > 0; end = text.indexOf('\n', end + 1)) {
    const last = text[end - 1] === '\r' ? end - 2 : end - 1;
    let next = end + 1;
    while (text[next] === ' ' || text[next] === '\t') next += 1;
    let around = 0;
    while (around < MIN_BASE64 && isOf(values, text, last - around)) around += 1;
    if (around === MIN_BASE64 && [0, 1, 2, 3].every((more) => isOf(values, text, next + more))) return true;
  }
  return false;
}

function isOf(values: Int8Array, text: string, at: number): boolean {
  // Not a number outside the text: no letter either.
  const code = text.charCodeAt(at);
  return code < 128 && (values[code] as number) >= 0;
}

function valuesOf(letters: string, more: string, moreFrom: number): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (let at = 0; at < letters.length; at += 1) values[letters.charCodeAt(at)] = at;
  for (let at = 0; at < more.length; at += 1) values[more.charCodeAt(at)] = moreFrom + at;
  return values;
}
