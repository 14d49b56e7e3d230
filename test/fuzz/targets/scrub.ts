import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { LIMITS, Refusal } from '../../../src/core/index.ts';
import {
  compileNeedles,
  contentCodings,
  decodeBody,
  StreamScrubber,
} from '../../../src/gateway/scrub/index.ts';
import { type FuzzTarget, latin, mustHold, pure } from '../target.ts';

const SECRET = 'fake-FUZZ_secret/+7Qx"z';
const bytes = Buffer.from(SECRET);
const FORMS = [
  bytes,
  Buffer.from(bytes.toString('base64')),
  Buffer.from(bytes.toString('base64url')),
  Buffer.from(bytes.toString('hex')),
  Buffer.from(encodeURIComponent(SECRET)),
  Buffer.from(JSON.stringify(SECRET).slice(1, -1)),
  Buffer.from(SECRET, 'utf16le'),
];
const needles = compileNeedles([bytes]);

function scrubbed(input: Uint8Array, size: number): Buffer {
  const scrubber = new StreamScrubber(needles);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < input.length; at += size) {
    parts.push(Uint8Array.from(scrubber.push(input.subarray(at, at + size))));
  }
  parts.push(Uint8Array.from(scrubber.end()));
  return Buffer.concat(parts);
}

export const scrub: FuzzTarget = {
  name: 'scrub',
  promise:
    'No promised form of the secret leaves, at any split; the length stays; a second pass changes nothing.',
  seeds: [
    ...FORMS.map((form) => latin(form)),
    `{"a":"${latin(FORMS[5] ?? bytes)}"}`,
    'plain text without any',
  ],
  dictionary: [
    ...FORMS.map((form) => latin(form)),
    ...FORMS.map((form) => latin(form.subarray(0, 9))),
    '%25',
    '\\u00',
    '=',
  ],
  open: pure((input) => {
    const whole = scrubbed(input, input.length + 1);
    mustHold(whole.length === input.length, 'the length changed');
    for (const size of [1, 7])
      mustHold(scrubbed(input, size).equals(whole), `pieces of ${size} give another result`);
    for (const form of FORMS) mustHold(!whole.includes(form), `a form left: ${latin(form)}`);
    mustHold(scrubbed(whole, whole.length + 1).equals(whole), 'a second pass changes the result');
  }),
};

const TEXT = Buffer.from('a text that is repeated, repeated, repeated '.repeat(20));

export const decode: FuzzTarget = {
  name: 'decode',
  promise: 'A coded body is decoded within the limits, or refused; nothing else.',
  seeds: [gzipSync(TEXT), deflateSync(TEXT), brotliCompressSync(TEXT), gzipSync(gzipSync(TEXT))],
  dictionary: ['\x1f\x8b\x08', '\x78\x9c', '\x28\xb5\x2f\xfd', '\0\0\0\0', '\xff\xff'],
  open: pure(async (input) => {
    const codings = [['gzip'], ['deflate'], ['br'], ['zstd'], ['gzip', 'gzip']] as const;
    for (const names of codings) {
      const parsed = contentCodings([['content-encoding', names.join(', ')]]);
      let size = 0;
      try {
        for await (const chunk of decodeBody(Readable.from([Buffer.from(input)]), parsed))
          size += chunk.length;
      } catch (fault) {
        if (!(fault instanceof Refusal)) throw fault;
      }
      mustHold(size <= 2 * 1024 * 1024 + input.length * LIMITS.decodeRatio, `grew to ${size} bytes`);
    }
  }),
};
