import { randomBytes } from 'node:crypto';
import type { Needles } from '../../../src/core/index.ts';
import { StreamScrubber } from '../../../src/gateway/scrub/index.ts';

/** A secret that nobody can take for a real one. */
export function fakeSecret(): string {
  return `fake-${randomBytes(18).toString('base64')}`;
}

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8');
}

/** What comes out when `data` goes in, cut at `cuts`. */
export function scrubSplit(
  needles: Needles,
  data: Uint8Array,
  cuts: readonly number[],
): { readonly output: Buffer; readonly hits: number } {
  const scrubber = new StreamScrubber(needles);
  const borders = [...new Set(cuts.map((cut) => cut % (data.length + 1)))].sort((one, other) => one - other);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const to of [...borders, data.length]) {
    parts.push(Uint8Array.from(scrubber.push(data.subarray(from, to))));
    from = to;
  }
  parts.push(Uint8Array.from(scrubber.end()));
  return { output: Buffer.concat(parts), hits: scrubber.hits };
}

export async function* chunked(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}
