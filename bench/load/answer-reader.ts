/** The end of one answer: its status, and the length of its body on the wire. */
export interface ReadAnswer {
  readonly status: number;
  readonly bodyBytes: number;
  /** True when the server closes the connection behind it. */
  readonly closes: boolean;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * Finds where HTTP/1.1 answers end, and nothing more: a load generator that parsed like a client would spend
 * the time that it is meant to measure. Throws on what it can't delimit.
 */
export class AnswerReader {
  #held: Buffer = Buffer.alloc(0);

  /** Takes bytes; gives the answer once it is whole. One answer at a time: nothing is pipelined. */
  push(bytes: Buffer): ReadAnswer | null {
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
    const end = this.#held.indexOf(HEAD_END);
    if (end < 0) return null;
    const head = this.#held.toString('latin1', 0, end);
    const start = end + HEAD_END.length;
    const status = Number(head.slice(9, 12));
    const bodyEnd = bodyEndOf(head, status, this.#held, start);
    if (bodyEnd === null) return null;
    if (bodyEnd !== this.#held.length) throw new Error('bytes behind the end of an answer');
    this.#held = Buffer.alloc(0);
    return { status, bodyBytes: bodyEnd - start, closes: /\r\nconnection: *close/i.test(head) };
  }
}

/** Where the body ends; null while it goes on. */
function bodyEndOf(head: string, status: number, bytes: Buffer, start: number): number | null {
  if (status === 204 || status === 304) return start;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) {
    const end = start + Number(length);
    return bytes.length >= end ? end : null;
  }
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return chunkedEnd(bytes, start);
  throw new Error(`an answer without a length: ${head.slice(0, 200)}`);
}

function chunkedEnd(bytes: Buffer, start: number): number | null {
  let at = start;
  for (;;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (Number.isNaN(size)) throw new Error('a chunk without a size');
    if (size === 0) {
      // No peer of the benchmark sends trailers.
      return bytes.length >= line + 4 ? line + 4 : null;
    }
    at = line + 2 + size + 2;
    if (at > bytes.length) return null;
  }
}
