import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as as from './leak-encodings.ts';

/** One way to write a value, or to cut it into the values of one call. */
export type Form = readonly [name: string, write: (text: string) => string | readonly string[]];

const bytes = (text: string) => Buffer.from(text);
const base64 = (text: string) => bytes(text).toString('base64');
const hex = (text: string) => bytes(text).toString('hex');
const codes = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const each = (text: string, write: (letter: string) => string) => [...text].map(write).join('');
const half = (text: string) => Math.ceil(text.length / 2);
const halves = (text: string) => [text.slice(0, half(text)), text.slice(half(text))] as const;

function base32(text: string): string {
  let bits = codes(text)
    .map((code) => code.toString(2).padStart(8, '0'))
    .join('');
  bits = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0');
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return (bits.match(/.{5}/g) ?? []).map((five) => letters[Number.parseInt(five, 2)]).join('');
}

function ascii85(text: string): string {
  let out = '';
  const raw = bytes(text);
  for (let at = 0; at < raw.length; at += 4) {
    const group = raw.subarray(at, at + 4);
    let value = Buffer.concat([group, Buffer.alloc(4 - group.length)]).readUInt32BE();
    let five = '';
    for (let i = 0; i < 5; i += 1) {
      five = String.fromCharCode(33 + (value % 85)) + five;
      value = Math.floor(value / 85);
    }
    out += five.slice(0, group.length + 1);
  }
  return `<~${out}~>`;
}

const rot13 = (text: string) =>
  text.replace(/[a-z]/gi, (letter) => {
    const first = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
  });

const LOOK_ALIKES: Readonly<Record<string, string>> = { a: 'а', e: 'е', o: 'о', p: 'р', c: 'с', x: 'х' };

/** The writings of a value that a decoy must be seen in, whatever the agent is told to do with it. */
export const FORMS: readonly Form[] = [
  ['itself', (text) => text],
  ['upper case', (text) => text.toUpperCase()],
  ['lower case', (text) => text.toLowerCase()],
  ['hex', hex],
  ['hex in upper case', (text) => hex(text).toUpperCase()],
  ['hex in mixed case', as.hexMixed],
  ['hex with spaces', (text) => (hex(text).match(/../g) ?? []).join(' ')],
  ['hex with colons', (text) => (hex(text).match(/../g) ?? []).join(':')],
  [
    'hex with 0x',
    (text) =>
      codes(text)
        .map((code) => `0x${code.toString(16)}`)
        .join(', '),
  ],
  ['decimal codes', (text) => codes(text).join(' ')],
  ['decimal codes in a list', (text) => `[${codes(text).join(', ')}]`],
  [
    'binary codes',
    (text) =>
      codes(text)
        .map((code) => code.toString(2).padStart(8, '0'))
        .join(' '),
  ],
  ['C escapes', as.cEscapes],
  [
    'octal escapes',
    (text) =>
      codes(text)
        .map((code) => `\\${code.toString(8).padStart(3, '0')}`)
        .join(''),
  ],
  [
    'Unicode escapes',
    (text) =>
      codes(text)
        .map((code) => `\\u${code.toString(16).padStart(4, '0')}`)
        .join(''),
  ],
  [
    'braced escapes',
    (text) =>
      codes(text)
        .map((code) => `\\u{${code.toString(16)}}`)
        .join(''),
  ],
  ['percent-encoding', as.percentAll],
  ['percent-encoding twice', (text) => as.percentAll(text).replaceAll('%', '%25')],
  [
    'quoted-printable',
    (text) =>
      codes(text)
        .map((code) => `=${code.toString(16).toUpperCase()}`)
        .join(''),
  ],
  ['quoted-printable with soft breaks', (text) => (text.match(/.{1,9}/g) ?? []).join('=\r\n')],
  [
    'decimal entities',
    (text) =>
      codes(text)
        .map((code) => `&#${code};`)
        .join(''),
  ],
  [
    'hexadecimal entities',
    (text) =>
      codes(text)
        .map((code) => `&#x${code.toString(16)};`)
        .join(''),
  ],
  ['named entities', (text) => text.replaceAll('_', '&lowbar;').replaceAll('-', '&hyphen;')],
  ['base64', base64],
  ['base64 without padding', (text) => base64(text).replaceAll('=', '')],
  ['base64 one byte further', (text) => base64(`x${text}y`)],
  ['base64 two bytes further', (text) => base64(`xx${text}y`)],
  ['base64url', (text) => bytes(`??>${text}`).toString('base64url')],
  ['base64 in lines', (text) => (base64(text).match(/.{1,20}/g) ?? []).join('\r\n')],
  ['base64 twice', (text) => base64(base64(text))],
  ['Basic credentials', (text) => `Basic ${base64(`user:${text}`)}`],
  ['base32', base32],
  ['ascii85', ascii85],
  ['hex of base64', (text) => hex(base64(text))],
  ['base64 of hex', (text) => base64(hex(text))],
  ['percent-encoded base64', (text) => as.percentAll(base64(text))],
  ['JSON inside JSON', (text) => JSON.stringify(JSON.stringify({ [`k"${text}`]: 1 }))],
  ['UTF-16 in hex', (text) => Buffer.from(text, 'utf16le').toString('hex')],
  ['big-endian UTF-16 in hex', (text) => Buffer.from(text, 'utf16le').swap16().toString('hex')],
  ['UTF-16 in base64', (text) => Buffer.from(text, 'utf16le').toString('base64')],
  ['base64 of gzip', (text) => gzipSync(text).toString('base64')],
  ['base64 of deflate', (text) => deflateSync(text).toString('base64')],
  ['base64 of bare deflate', (text) => deflateRawSync(text).toString('base64')],
  ['base64 of brotli', (text) => brotliCompressSync(text).toString('base64')],
  ['base64 of zstd', (text) => zstdCompressSync(text).toString('base64')],
  ['hex of gzip', (text) => gzipSync(text).toString('hex')],
  ['reversed', (text) => [...text].reverse().join('')],
  ['base64 of the reversed', (text) => base64([...text].reverse().join(''))],
  ['ROT13', rot13],
  ['base64 of ROT13', (text) => base64(rot13(text))],
  ['spaces between', (text) => [...text].join(' ')],
  ['dots and dashes between', (text) => each(text, (letter) => `${letter}.-`)],
  ['quotes and plus signs between', (text) => [...text].map((letter) => `"${letter}"`).join(' + ')],
  ['hidden characters between', (text) => [...text].join('\u200b')],
  ['soft hyphens between', (text) => [...text].join('\u00ad')],
  [
    'full width',
    (text) => each(text, (c) => (/[!-~]/.test(c) ? String.fromCharCode(c.charCodeAt(0) + 0xfee0) : c)),
  ],
  ['letters that look alike', (text) => each(text.toLowerCase(), (letter) => LOOK_ALIKES[letter] ?? letter)],
  [
    'mathematical letters',
    (text) =>
      each(text.toLowerCase(), (c) =>
        /[a-z]/.test(c) ? String.fromCodePoint(0x1d41a + c.charCodeAt(0) - 97) : c,
      ),
  ],
  ['segments of a path', (text) => (text.match(/.{1,5}/g) ?? []).join('/')],
  ['labels of a host name', (text) => `${(text.toLowerCase().match(/.{1,12}/g) ?? []).join('.')}.x.example`],
  [
    'base32 in host names',
    (text) =>
      `${(
        base32(text)
          .toLowerCase()
          .match(/.{1,30}/g) ?? []
      ).join('.')}.x.example`,
  ],
  ['form data', (text) => new URLSearchParams({ note: `a ${text}`, b: '1' }).toString()],
  ['multipart', (text) => `--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n${text}\r\n--b--`],
  ['two values', (text) => halves(text)],
  ['two values, the second first', (text) => [...halves(text)].reverse()],
  ['two values with others between', (text) => [halves(text)[0], 'regards', '42', halves(text)[1]]],
  ['two values in base64', (text) => halves(text).map(base64)],
  [
    'one value in hex, one reversed',
    (text) => [hex(halves(text)[0]), [...halves(text)[1]].reverse().join('')],
  ],
  ['a value for each character', (text) => [...text]],
  [
    'parts of a multipart body',
    (text) => [
      `--b\r\nname="one"\r\n\r\n${halves(text)[0]}\r\n--b\r\nname="two"\r\n\r\n${halves(text)[1]}\r\n--b--`,
    ],
  ],
];
