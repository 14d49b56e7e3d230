import { Duplex } from 'node:stream';
import zlib from 'node:zlib';
import { LIMITS, Refusal } from '../../core/index.ts';
import type { ContentCoding } from './codings.ts';
import { InflateEngine } from './inflate-engine.ts';

/** Below this size no ratio makes a bomb. */
const FREE_BYTES = 1024 * 1024;

/**
 * RFC 9659: a zstd window for HTTP has at most 8 MiB (2^23); Node's own limit of 128 MiB a stream would let
 * a few hundred answers take all memory.
 */
const ZSTD_PARAMS = { [zlib.constants.ZSTD_d_windowLogMax]: 23 };

/** One line a coding: how to begin decoding, and what may follow the end of the coded data. */
const DECODERS: Readonly<Record<ContentCoding, (first: Uint8Array) => InflateEngine>> = {
  // Node reads several gzip members one after the other (RFC 1952 section 2.2) and skips zeros behind them.
  gzip: () => new InflateEngine(() => zlib.createGunzip(), 'refuse'),
  deflate: (first) =>
    new InflateEngine(() => (isZlib(first) ? zlib.createInflate() : zlib.createInflateRaw()), 'refuse'),
  br: () => new InflateEngine(() => zlib.createBrotliDecompress(), 'refuse'),
  zstd: () => new InflateEngine(() => zlib.createZstdDecompress({ params: ZSTD_PARAMS }), 'next-frame'),
};

/**
 * Decodes a body; `codings` in the order in which they were applied. Nothing is read ahead of the consumer
 * but one piece of 16 KiB. Throws `Refusal`: `upstream_malformed` when the coded data is damaged, cut off or
 * followed by something else, `upstream_too_large` when it grows more than `LIMITS.decodeRatio` times.
 */
export async function* decodeBody(
  source: AsyncIterable<Uint8Array>,
  codings: readonly ContentCoding[],
): AsyncGenerator<Uint8Array> {
  const meter: Meter = { codedBytes: 0 };
  let body: AsyncIterable<Uint8Array> = metered(source, meter);
  for (const coding of codings.toReversed()) body = decodeLayer(body, coding, meter);
  yield* body;
}

/** The same as a stream, for `pipeline`. */
export function decodeStream(codings: readonly ContentCoding[]): Duplex {
  return Duplex.from((source: AsyncIterable<Uint8Array>) => decodeBody(source, codings));
}

interface Meter {
  codedBytes: number;
}

async function* metered(source: AsyncIterable<Uint8Array>, meter: Meter): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    meter.codedBytes += chunk.length;
    yield chunk;
  }
}

async function* decodeLayer(
  source: AsyncIterable<Uint8Array>,
  coding: ContentCoding,
  meter: Meter,
): AsyncGenerator<Uint8Array> {
  let engine: InflateEngine | null = null;
  let first: Uint8Array = new Uint8Array();
  let decodedBytes = 0;
  const mayGrow = (bytes: number): void => {
    decodedBytes += bytes;
    if (decodedBytes <= FREE_BYTES + meter.codedBytes * LIMITS.decodeRatio) return;
    throw new Refusal('upstream_too_large', {
      detail: `The answer grows more than ${LIMITS.decodeRatio} times when it is decoded.`,
    });
  };
  try {
    for await (const chunk of source) {
      let piece = chunk;
      if (engine === null) {
        // Two bytes tell zlib from raw deflate; they may come in two chunks.
        piece = first = Buffer.concat([first, chunk]);
        if (first.length < 2) continue;
        engine = DECODERS[coding](first);
        engine.onGrowth(mayGrow);
      }
      yield* engine.write(piece);
    }
    // A body of no bytes at all comes with a coding now and then, and holds nothing.
    if (engine === null && first.length === 0) return;
    engine ??= DECODERS[coding](first);
    if (first.length < 2) yield* engine.write(first);
    yield* engine.end();
  } finally {
    engine?.destroy();
  }
}

/** RFC 1950 section 2.2: method 8 in the low nibble, and a header that is a multiple of 31. */
function isZlib(first: Uint8Array): boolean {
  const [method = 0, flags = 0] = first;
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0;
}
