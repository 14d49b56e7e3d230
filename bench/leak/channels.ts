import zlib from 'node:zlib';
import type { Echo } from '../../test/support/leak-cases.ts';
import type { Spelling } from './forms.ts';

/** A way in which an answer carries a spelling; null: this one can't carry it (a line end in a field). */
export interface Channel {
  readonly name: string;
  echoes(spelling: Spelling, secret: string): readonly Echo[] | null;
}

const PLAIN = ['content-type', 'text/plain'] as const;

function echo(spelling: Spelling, secret: string, given: Partial<Echo>): Echo {
  return {
    status: 200,
    reason: 'OK',
    headers: [PLAIN],
    interim: null,
    chunks: [spelling.bytes],
    pauseMs: 0,
    trailers: [],
    forbidden: [spelling.core],
    injected: [secret],
    json: false,
    ...given,
  };
}

const body = (name: string, make: (bytes: Buffer) => Partial<Echo>): Channel => ({
  name,
  echoes: (spelling, secret) => [echo(spelling, secret, make(spelling.bytes))],
});

const coded = (coding: string, encode: (plain: Buffer) => Buffer): Channel =>
  body(coding, (bytes) => ({ headers: [PLAIN, ['content-encoding', coding]], chunks: [encode(bytes)] }));

/** Values of fields are byte strings without control characters and without blanks at their ends. */
const field = (name: string, make: (value: string) => Partial<Echo>): Channel => ({
  name,
  echoes: (spelling, secret) => {
    const value = spelling.bytes.toString('latin1');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a field can't carry
    if (/[\x00-\x1f\x7f]|^ | $/.test(value)) return null;
    return [echo(spelling, secret, { chunks: [Buffer.from('{}')], ...make(value) })];
  },
});

export const CHANNELS: readonly Channel[] = [
  body('body, whole', () => ({})),
  {
    name: 'body, split at each offset',
    echoes: (spelling, secret) =>
      Array.from({ length: spelling.bytes.length - 1 }, (_, at) =>
        echo(spelling, secret, {
          chunks: [spelling.bytes.subarray(0, at + 1), spelling.bytes.subarray(at + 1)],
        }),
      ),
  },
  coded('gzip', (plain) => zlib.gzipSync(plain)),
  coded('deflate', (plain) => zlib.deflateSync(plain)),
  coded('br', (plain) => zlib.brotliCompressSync(plain)),
  coded('zstd', (plain) => zlib.zstdCompressSync(plain)),
  field('header field', (value) => ({ headers: [PLAIN, ['x-echo', value]] })),
  field('Location', (value) => ({
    status: 302,
    reason: 'Found',
    headers: [PLAIN, ['location', `https://x.example/cb?t=${value}`]],
  })),
  field('cookie', (value) => ({ headers: [PLAIN, ['set-cookie', `t=${value}; Path=/`]] })),
  field('trailer', (value) => ({ trailers: [['x-echo', value]] })),
  body('event stream', (bytes) => ({
    headers: [['content-type', 'text/event-stream']],
    chunks: [Buffer.concat([Buffer.from('data: {"t":"'), bytes, Buffer.from('"}\n\n')])],
  })),
  body('error page', (bytes) => ({
    status: 500,
    reason: 'Internal Server Error',
    headers: [['content-type', 'text/html']],
    chunks: [Buffer.concat([Buffer.from('<h1>Error</h1><pre>'), bytes, Buffer.from('</pre>')])],
  })),
];

/** The bodies that hold no secret, near misses among them: none may change. */
export function cleanBodies(secret: string, random: Buffer): readonly Buffer[] {
  const middle = secret.length >> 1;
  return [
    Buffer.from('{"ok":true,"items":[1,2,3],"text":"nothing of note"}'),
    Buffer.from('<p>A page &amp; its entities: &#65;&#x42;</p>'),
    Buffer.from(`prefix ${secret.slice(0, 6)} and no more`),
    Buffer.from(`${secret.slice(0, middle)}\u0001${secret.slice(middle)} is another text`),
    Buffer.from(`****${secret.slice(-4)} `),
    random,
    Buffer.from(random.toString('base64')),
    Buffer.from(random.toString('hex')),
    zlib.gzipSync(random),
  ];
}
