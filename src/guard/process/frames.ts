/** Longest frame that a guard takes: the longest text that is scored, with room for JSON's escapes. */
export const REQUEST_BYTES = 16 * 1024 * 1024;
/** Longest frame that the gate takes from a guard, which it does not trust. */
export const ANSWER_BYTES = 64 * 1024;

/** The other side does not keep to the format: nothing that it sends can be believed any more. */
export class FrameError extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = 'FrameError';
  }
}

/** One message: its length in 4 bytes (big-endian), then JSON in UTF-8. */
export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** Cuts a stream of bytes into messages; never holds more than one frame of the allowed length. */
export class FrameReader {
  readonly #mostBytes: number;
  #chunks: Buffer[] = [];
  #held = 0;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The messages that are whole now; throws FrameError, and the reader is of no more use then. */
  push(chunk: Buffer): readonly unknown[] {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const messages: unknown[] = [];
    for (;;) {
      if (this.#held < 4) return messages;
      const length = this.#peekLength();
      if (length > this.#mostBytes)
        throw new FrameError(`A frame of ${length} bytes is longer than ${this.#mostBytes}.`);
      if (this.#held < 4 + length) return messages;
      const bytes =
        this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
      messages.push(parse(bytes.subarray(4, 4 + length)));
      const rest = bytes.subarray(4 + length);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#held = rest.length;
    }
  }

  #peekLength(): number {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= 4) return first.readUInt32BE(0);
    this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]?.readUInt32BE(0) ?? 0;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    throw new FrameError(`A frame is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
