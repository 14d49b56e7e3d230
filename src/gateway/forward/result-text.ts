import type { HeaderList } from '../../core/index.ts';
import { valuesOf } from '../ingress/fields.ts';

/** What the agent reads of one answer, as far as the detector looks. */
const MAX_BYTES = 64 * 1024;
const TEXTUAL =
  /^(?:text\/|application\/(?:[a-z0-9.+-]*\+)?(?:json|xml|javascript|x-www-form-urlencoded|x-ndjson)\b)/i;

/** Whether an answer is text that can be read as it stands. */
export function isTextual(headers: HeaderList): boolean {
  const [type = ''] = valuesOf(headers, 'content-type');
  const coded = valuesOf(headers, 'content-encoding').some((coding) => coding.toLowerCase() !== 'identity');
  return TEXTUAL.test(type) && !coded;
}

/** Keeps the beginning of a textual answer, scrubbed, for the detector. */
export class ResultText {
  readonly #wanted: boolean;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  constructor(headers: HeaderList) {
    this.#wanted = isTextual(headers);
  }

  push(chunk: Uint8Array): void {
    if (!this.#wanted || this.#bytes >= MAX_BYTES) return;
    const piece = chunk.subarray(0, MAX_BYTES - this.#bytes);
    this.#chunks.push(piece);
    this.#bytes += piece.length;
  }

  /** Null: nothing to look at. */
  text(): string | null {
    return this.#bytes === 0 ? null : Buffer.concat(this.#chunks).toString('utf8');
  }
}
