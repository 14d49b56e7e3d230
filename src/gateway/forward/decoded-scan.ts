import { type Finding, type HeaderList, Refusal } from '../../core/index.ts';
import type { OutboundScanner } from '../../detector/index.ts';
import { contentCodings, decodeBody } from '../scrub/index.ts';

/** Looks through a compressed body on its way out, as its receiver will read it. */
export interface DecodedScan {
  /** Settles when all that is decoded of the chunk was looked at. Throws `input_invalid` for a decompression bomb. */
  push(chunk: Uint8Array): Promise<Finding | null>;
  end(): Promise<Finding | null>;
  /** To be called whatever happens: gives the decoder's memory back. */
  close(): void;
}

/**
 * Null when the body has no coding, or one that the gate does not know. Bounded as answers are: pieces of 16 KiB, and 200
 * times the size of what was sent. What is damaged is looked at up to there: its receiver reads no further.
 */
export function scanDecoded(headers: HeaderList, scanner: OutboundScanner): DecodedScan | null {
  const codings = knownCodings(headers);
  return codings.length === 0 ? null : new Scan(codings, scanner);
}

function knownCodings(headers: HeaderList): ReturnType<typeof contentCodings> {
  try {
    return contentCodings(headers);
  } catch (fault) {
    if (fault instanceof Refusal) return [];
    throw fault;
  }
}

class Scan implements DecodedScan {
  #found: Finding | null = null;
  #bomb = false;
  #done = false;
  #deliver: (chunk: Uint8Array | null) => void = () => {};
  /** Resolved when the decoder asks for more: then all that it had was looked at. */
  #asks = Promise.withResolvers<void>();

  constructor(codings: ReturnType<typeof contentCodings>, scanner: OutboundScanner) {
    void this.#work(codings, scanner);
  }

  async #work(codings: ReturnType<typeof contentCodings>, scanner: OutboundScanner): Promise<void> {
    try {
      for await (const piece of decodeBody(this.#chunks(), codings)) {
        this.#found = scanner.push(piece);
        if (this.#found !== null) return;
      }
    } catch (fault) {
      this.#bomb = fault instanceof Refusal && fault.code === 'upstream_too_large';
    } finally {
      this.#done = true;
      this.#asks.resolve();
    }
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = Promise.withResolvers<Uint8Array | null>();
      this.#deliver = next.resolve;
      this.#asks.resolve();
      const chunk = await next.promise;
      if (chunk === null) return;
      yield chunk;
    }
  }

  push(chunk: Uint8Array): Promise<Finding | null> {
    return this.#give(chunk);
  }

  end(): Promise<Finding | null> {
    return this.#give(null);
  }

  close(): void {
    this.#deliver(null);
  }

  async #give(chunk: Uint8Array | null): Promise<Finding | null> {
    await this.#asks.promise;
    if (!this.#done) {
      this.#asks = Promise.withResolvers();
      this.#deliver(chunk);
      await this.#asks.promise;
    }
    if (this.#bomb)
      throw new Refusal('input_invalid', {
        extra: { errors: ['body: grows more than 200 times when it is decoded'] },
      });
    return this.#found;
  }
}
