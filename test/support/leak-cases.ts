import { createCipheriv } from 'node:crypto';
import zlib from 'node:zlib';
import * as as from './leak-encodings.ts';

/** What an upstream answers, and what of it the agent must not see. */
export interface Echo {
  readonly status: number;
  readonly reason: string;
  /** Values are byte strings: one character a byte. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Fields of a 103 answer before this one. */
  readonly interim: readonly (readonly [name: string, value: string])[] | null;
  /** Written one after another; `pauseMs` between them. */
  readonly chunks: readonly Buffer[];
  readonly pauseMs: number;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** The part of the answer that is the secret, in the form at hand: no long piece of it may arrive. */
  readonly forbidden: readonly Buffer[];
  /** The secrets that were injected into the request. */
  readonly injected: readonly string[];
  /** The body is JSON text and must still be. */
  readonly json: boolean;
}

type Builder = (secret: string, next: string) => Echo | readonly Echo[];

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const wire = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

function echo(secret: string, given: Partial<Echo>): Echo {
  return {
    status: 200,
    reason: 'OK',
    headers: [['content-type', 'text/plain']],
    interim: null,
    chunks: [],
    pauseMs: 0,
    trailers: [],
    forbidden: [utf8(secret)],
    injected: [secret],
    json: false,
    ...given,
  };
}

/** A body that holds `form` between two other words. */
function inBody(form: string | Buffer, secret: string, contentType = 'text/plain'): Echo {
  const bytes = typeof form === 'string' ? utf8(form) : form;
  // Two bytes on either side keep two-byte text aligned.
  const body = Buffer.concat([utf8('<<'), bytes, utf8('>>')]);
  return echo(secret, { headers: [['content-type', contentType]], chunks: [body], forbidden: [bytes] });
}

/** The body is `text` with the form in it. */
function around(
  text: (form: string) => string,
  form: string,
  secret: string,
  given: Partial<Echo> = {},
): Echo {
  return echo(secret, { chunks: [utf8(text(form))], forbidden: [utf8(form)], ...given });
}

/** The base64 characters that the secret alone determines when `shift` other bytes stand in front. */
function base64Shifted(secret: string, shift: number, url: boolean): { body: Buffer; core: Buffer } {
  const bytes = utf8(secret);
  const text = Buffer.concat([utf8('x'.repeat(shift)), bytes, utf8('tail')]);
  const coded = text.toString(url ? 'base64url' : 'base64');
  const from = Math.ceil((shift * 8) / 6);
  const to = Math.floor(((shift + bytes.length) * 8) / 6);
  return { body: utf8(coded), core: utf8(coded.slice(from, to)) };
}

function shifted(shift: number, url: boolean): Builder {
  return (secret) => {
    const { body, core } = base64Shifted(secret, shift, url);
    return echo(secret, { chunks: [body], forbidden: [core] });
  };
}

const body =
  (form: (secret: string) => string | Buffer): Builder =>
  (secret) =>
    inBody(form(secret), secret);

const JSON_TYPE = ['content-type', 'application/json'] as const;

/** Inside a JSON string. */
const json =
  (form: (secret: string) => string): Builder =>
  (secret) =>
    around((text) => `{"echo":"${text}","ok":true}`, form(secret), secret, {
      headers: [JSON_TYPE],
      json: true,
    });

const coded =
  (coding: string, encode: (plain: Buffer) => Buffer): Builder =>
  (secret) =>
    echo(secret, {
      headers: [
        ['content-type', 'text/plain'],
        ['content-encoding', coding],
      ],
      chunks: [encode(utf8(`<<${secret}>>`))],
    });

/** One field of the head; not for secrets with line ends. */
const field =
  (name: string, value: (secret: string) => Buffer, form: (secret: string) => Buffer): Builder =>
  (secret) =>
    echo(secret, { headers: [[name, wire(value(secret))]], chunks: [utf8('{}')], forbidden: [form(secret)] });

/** One answer for each border between two bytes of the coded or plain body. */
const atEveryBorder =
  (make: (secret: string) => { body: Buffer; core: Buffer }, pauseMs = 0): Builder =>
  (secret) => {
    const { body: whole, core } = make(secret);
    return Array.from({ length: whole.length - 1 }, (_, at) =>
      echo(secret, {
        chunks: [whole.subarray(0, at + 1), whole.subarray(at + 1)],
        forbidden: [core],
        pauseMs,
      }),
    );
  };

const raw = (secret: string) => ({ body: utf8(secret), core: utf8(secret) });

/** Forms that the scrubber promises to stop. */
export const PROMISED: Readonly<Record<string, Builder>> = {
  raw: body((secret) => secret),
  'raw-octet-stream': (secret) => ({ ...inBody(secret, secret, 'application/octet-stream') }),
  'base64-shift0': shifted(0, false),
  'base64url-shift0': shifted(0, true),
  'base64-shift1': shifted(1, false),
  'base64url-shift1': shifted(1, true),
  'base64-shift2': shifted(2, false),
  'base64url-shift2': shifted(2, true),
  'base64-alone': body(as.base64),
  'base64-unpadded': body((secret) => as.base64(secret).replaceAll('=', '')),
  'base64url-padded': body((secret) => as.base64(secret).replaceAll('+', '-').replaceAll('/', '_')),
  'base64-in-json': json((secret) => as.base64(secret).replaceAll('/', '\\/')),
  'base64-percent': body((secret) => encodeURIComponent(as.base64(secret))),
  'hex-lower': body(as.hex),
  'hex-upper': body((secret) => as.hex(secret).toUpperCase()),
  'hex-mixed': body(as.hexMixed),
  'hex-0x': body((secret) => `0x${as.hex(secret)}`),
  'c-escapes': body(as.cEscapes),
  'percent-component': body(encodeURIComponent),
  'percent-strict': body(as.percentStrict),
  'percent-strict-lower': body(as.percentStrictLower),
  'percent-form': body(as.percentForm),
  'percent-all-upper': body((secret) => as.percentAll(secret).toUpperCase()),
  'percent-all-lower': body(as.percentAll),
  'percent-twice': body((secret) => encodeURIComponent(encodeURIComponent(secret))),
  'json-min': json(as.jsonMin),
  'json-ascii': json(as.jsonAscii),
  'json-u-lower': json(as.jsonUnicode),
  'json-u-upper': json(as.jsonUnicodeUpper),
  'json-in-json': json(as.jsonInJson),
  'html-min': body(as.htmlMin),
  'html-dec': body(as.htmlDecimal),
  'html-hex-lower': body(as.htmlHex),
  'html-hex-upper': body(as.htmlHexUpper),
  utf16le: body(as.utf16le),
  utf16be: body(as.utf16be),
  'utf16-bom': (secret) =>
    echo(secret, {
      headers: [['content-type', 'text/plain; charset=utf-16']],
      chunks: [Buffer.concat([Buffer.from([0xff, 0xfe]), as.utf16le(secret)])],
      forbidden: [as.utf16le(secret)],
    }),
  'qp-min': body(as.quotedPrintable),
  'qp-all': body(as.quotedPrintableAll),
  'basic-password': field(
    'www-authenticate',
    (secret) => utf8(`Basic ${as.base64(`agent:${secret}`)}`),
    (secret) => base64Shifted(secret, 0, false).core,
  ),
  'basic-user': body((secret) => `Basic ${as.base64(`${secret}:`)}`),
  'bearer-echo': (secret) => around((form) => `Authorization: Bearer ${form}`, secret, secret),
  'userinfo-url': (secret) =>
    around((form) => `https://agent:${form}@api.example/`, as.percentStrict(secret), secret),
  gzip: coded('gzip', (plain) => zlib.gzipSync(plain)),
  deflate: coded('deflate', (plain) => zlib.deflateSync(plain)),
  'deflate-raw': coded('deflate', (plain) => zlib.deflateRawSync(plain)),
  brotli: coded('br', (plain) => zlib.brotliCompressSync(plain)),
  zstd: coded('zstd', (plain) => zlib.zstdCompressSync(plain)),
  'gzip-gzip': coded('gzip, gzip', (plain) => zlib.gzipSync(zlib.gzipSync(plain))),
  'gzip-br': coded('gzip, br', (plain) => zlib.brotliCompressSync(zlib.gzipSync(plain))),
  'gzip-x': coded('x-gzip', (plain) => zlib.gzipSync(plain)),
  'gzip-json': (secret) =>
    echo(secret, {
      headers: [JSON_TYPE, ['content-encoding', 'gzip']],
      chunks: [zlib.gzipSync(`{"t":"${as.jsonUnicode(secret)}"}`)],
      forbidden: [utf8(as.jsonUnicode(secret))],
      json: true,
    }),
  'gzip-members': (secret) => {
    const bytes = utf8(secret);
    const middle = bytes.length >> 1;
    return echo(secret, {
      headers: [['content-encoding', 'gzip']],
      chunks: [
        Buffer.concat([zlib.gzipSync(bytes.subarray(0, middle)), zlib.gzipSync(bytes.subarray(middle))]),
      ],
    });
  },
  'chunk-split': atEveryBorder(raw),
  'chunk-bytes': (secret) =>
    echo(secret, { chunks: Array.from(utf8(secret), (byte) => Buffer.from([byte])) }),
  'tcp-split': atEveryBorder(raw, 5),
  'gzip-flush-split': (secret) =>
    Array.from({ length: utf8(secret).length - 1 }, (_, at) =>
      echo(secret, {
        headers: [['content-encoding', 'gzip']],
        chunks: flushedGzip(utf8(secret), at + 1),
      }),
    ),
  'base64-chunk-split': atEveryBorder((secret) => base64Shifted(secret, 1, false)),
  'huge-prefix': (secret) =>
    echo(secret, {
      headers: [['content-type', 'application/octet-stream']],
      chunks: [...Array.from({ length: 128 }, (_, at) => Buffer.alloc(65_536, at)), utf8(secret)],
    }),
  multipart: (secret) =>
    around(
      (form) =>
        `--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n${form}\r\n--b--`,
      secret,
      secret,
      { headers: [['content-type', 'multipart/form-data; boundary=b']] },
    ),
  'header-value': field('x-echo', utf8, utf8),
  'header-value-base64': field(
    'x-echo',
    (secret) => utf8(as.base64(secret)),
    (secret) => base64Shifted(secret, 0, false).core,
  ),
  location: field(
    'location',
    (secret) => utf8(`https://x.example/cb?token=${as.percentStrict(secret)}`),
    (secret) => utf8(as.percentStrict(secret)),
  ),
  'set-cookie': field(
    'set-cookie',
    (secret) => utf8(`t=${encodeURIComponent(secret)}; Path=/`),
    (secret) => utf8(encodeURIComponent(secret)),
  ),
  'link-header': field(
    'link',
    (secret) => utf8(`<https://x.example/?t=${as.percentStrict(secret)}>; rel=next`),
    (secret) => utf8(as.percentStrict(secret)),
  ),
  'content-disposition': field(
    'content-disposition',
    (secret) => utf8(`attachment; filename*=UTF-8''${as.percentStrict(secret)}`),
    (secret) => utf8(as.percentStrict(secret)),
  ),
  'reason-phrase': (secret) =>
    echo(secret, { status: 401, reason: wire(utf8(secret)), chunks: [utf8('{}')] }),
  'field-name': (secret) =>
    echo(secret, {
      headers: [[secret, 'yes']],
      chunks: [utf8('{}')],
      forbidden: [utf8(secret), utf8(secret.toLowerCase())],
    }),
  trailer: (secret) => echo(secret, { chunks: [utf8('{}')], trailers: [['x-echo', wire(utf8(secret))]] }),
  'early-hints': (secret) =>
    echo(secret, { chunks: [utf8('{}')], interim: [['link', `</${wire(utf8(secret))}>`]] }),
  'error-body': (secret) =>
    around((form) => `{"error": "bad credentials: ${form}"}`, as.jsonMin(secret), secret, {
      status: 500,
      reason: 'Internal Server Error',
      headers: [JSON_TYPE],
      json: true,
    }),
  'redirect-body': (secret) =>
    around(
      (form) => `<a href="/x?t=${form}">moved</a>`,
      as.htmlMin(secret).replaceAll('&#39;', '&#x27;'),
      secret,
      {
        status: 302,
        reason: 'Found',
        headers: [
          ['location', '/x'],
          ['content-type', 'text/html'],
        ],
      },
    ),
  'sse-data': (secret) =>
    around((form) => `event: echo\ndata: {"t":"${form}"}\n\n`, as.jsonMin(secret), secret, {
      headers: [['content-type', 'text/event-stream']],
    }),
  ndjson: (secret) =>
    around((form) => `{"a":1}\n{"t":"${form}"}\n`, as.jsonMin(secret), secret, {
      headers: [['content-type', 'application/x-ndjson']],
    }),
  'mcp-result': (secret) =>
    around(
      (form) => `{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"${form}"}]}}`,
      as.jsonInJson(secret),
      secret,
      { headers: [JSON_TYPE], json: true },
    ),
  'zip-stored': (secret) =>
    echo(secret, {
      headers: [['content-type', 'application/zip']],
      chunks: [as.zipOf('t.txt', utf8(secret), zlib.crc32(utf8(secret)), null)],
    }),
  twice: (secret) => echo(secret, { chunks: [utf8(secret + secret)] }),
  overlap: (secret) => {
    const bytes = utf8(secret);
    return echo(secret, { chunks: [Buffer.concat([bytes.subarray(0, bytes.length >> 1), bytes])] });
  },
  'two-secrets': (secret, next) =>
    echo(secret, {
      chunks: [utf8(secret + next)],
      forbidden: [utf8(secret), utf8(next)],
      injected: [secret, next],
    }),
};

/** Forms that matching on pieces of text can't promise to stop: measured, never promised. */
export const MEASURED: Readonly<Record<string, (secret: string) => string | Buffer>> = {
  reversed: (secret) => Array.from(secret).reverse().join(''),
  spaced: (secret) => Array.from(secret).join(' '),
  rot13: (secret) =>
    secret.replaceAll(/[A-Za-z]/g, (letter) => {
      const base = letter <= 'Z' ? 65 : 97;
      return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
    }),
  'case-swapped': (secret) =>
    Array.from(secret, (one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join(''),
  xor: (secret) => Buffer.from(utf8(secret).map((byte) => byte ^ 0x20)),
  base32: (secret) => base32(utf8(secret)),
  base85: (secret) => ascii85(utf8(secret)),
  'base64-twice': (secret) => as.base64(as.base64(secret)),
  'base64-wrapped': (secret) => as.base64(`some text before ${secret}`).replaceAll(/(.{20})/g, '$1\r\n'),
  'hex-spaced': (secret) => as.hex(secret).replaceAll(/(..)(?=.)/g, '$1 '),
  'percent-mixed': (secret) =>
    Array.from(utf8(secret), (byte, at) =>
      at % 2 === 1 || byte > 0x7e ? `%${byte.toString(16).padStart(2, '0')}` : String.fromCharCode(byte),
    ).join(''),
  'json-u-mixed': (secret) =>
    Array.from(secret, (one, at) => (at % 2 === 1 ? as.jsonUnicode(one) : as.jsonMin(one))).join(''),
  'html-mixed': (secret) =>
    Array.from(secret, (one, at) =>
      at % 2 === 1 ? `&#${String(one.codePointAt(0)).padStart(7, '0')};` : as.htmlMin(one),
    ).join(''),
  'char-codes': (secret) => JSON.stringify(Array.from(secret, (one) => one.codePointAt(0))),
  'json-parts': (secret) => JSON.stringify(secret.match(/[\s\S]{1,3}/g)),
  'sse-parts': (secret) => Array.from(secret, (one) => `data: ${JSON.stringify(one)}\n\n`).join(''),
  'zero-width': (secret) => Array.from(secret).join('\u200b'),
  fullwidth: (secret) =>
    Array.from(secret, (one) =>
      one > ' ' && one <= '~' ? String.fromCodePoint((one.codePointAt(0) ?? 0) + 0xfee0) : one,
    ).join(''),
  utf7: (secret) =>
    secret.replaceAll(/[^A-Za-z0-9'(),\-./:? ]+/g, (piece) =>
      piece === '+' ? '+-' : `+${as.utf16be(piece).toString('base64').replaceAll('=', '')}-`,
    ),
  ebcdic,
  'hex-dump': (secret) => hexDump(utf8(secret)),
  utf32: (secret) =>
    Buffer.concat(
      Array.from(secret, (one) => {
        const unit = Buffer.alloc(4);
        unit.writeUInt32LE(one.codePointAt(0) ?? 0);
        return unit;
      }),
    ),
  'gzip-file': (secret) => zlib.gzipSync(secret),
  'zip-deflated': (secret) =>
    as.zipOf('t.txt', utf8(secret), zlib.crc32(utf8(secret)), zlib.deflateRawSync(secret)),
  encrypted: (secret) => {
    const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2));
    return Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  },
};

/** The gzip of `bytes` with a sync flush (RFC 1951 section 3.2.4, an empty stored block) behind byte `at`. */
function flushedGzip(bytes: Buffer, at: number): Buffer[] {
  const finishFlush = zlib.constants.Z_SYNC_FLUSH;
  const first = zlib.deflateRawSync(bytes.subarray(0, at), { finishFlush });
  const second = zlib.deflateRawSync(bytes.subarray(at));
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(zlib.crc32(bytes), 0);
  trailer.writeUInt32LE(bytes.length, 4);
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
  return [Buffer.concat([header, first]), Buffer.concat([second, trailer])];
}

function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');
}

function ascii85(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const group = Buffer.alloc(4);
    bytes.copy(group, 0, at, at + 4);
    let value = group.readUInt32BE();
    const digits = Array.from({ length: 5 }, () => {
      const digit = String.fromCharCode(33 + (value % 85));
      value = Math.floor(value / 85);
      return digit;
    });
    text += digits.reverse().join('');
  }
  return text;
}

/** Code page 037 for letters and digits; other characters as its question mark. */
function ebcdic(secret: string): Buffer {
  return Buffer.from(
    Array.from(secret, (one) => {
      const rows = [
        ['abcdefghi', 0x81],
        ['jklmnopqr', 0x91],
        ['stuvwxyz', 0xa2],
        ['ABCDEFGHI', 0xc1],
        ['JKLMNOPQR', 0xd1],
        ['STUVWXYZ', 0xe2],
        ['0123456789', 0xf0],
      ] as const;
      const row = rows.find(([letters]) => letters.includes(one));
      return row === undefined ? 0x6f : row[1] + row[0].indexOf(one);
    }),
  );
}

/** The layout of `hexdump -C`. */
function hexDump(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = `${digits.slice(0, 8).join(' ')}  ${digits.slice(8).join(' ')}`.padEnd(49);
    lines.push(
      `${at.toString(16).padStart(8, '0')}  ${halves} |${row.toString('latin1').replaceAll(/[^ -~]/g, '.')}|`,
    );
  }
  return lines.join('\n');
}
