const REDACTED = '[secret]';

/**
 * Bytes that must never be printed. Every way in which JavaScript turns a value into text answers
 * `[secret]`; the bytes are lent to a function by `use` and wiped by `wipe`.
 *
 * Limits: a copy that `use`'s function makes (a string above all) is out of our hands; V8 strings can't be
 * wiped, so callers write bytes to the wire where they can.
 */
export class SecretBytes {
  #bytes: Uint8Array | null;

  /** Takes ownership: the caller must not keep `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static fromUtf8(text: string): SecretBytes {
    return new SecretBytes(new TextEncoder().encode(text));
  }

  get length(): number {
    return this.#open().length;
  }

  get wiped(): boolean {
    return this.#bytes === null;
  }

  /** Lends the bytes for the time of one synchronous call. */
  use<T>(read: (bytes: Uint8Array) => T): T {
    return read(this.#open());
  }

  wipe(): void {
    this.#bytes?.fill(0);
    this.#bytes = null;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  // node:util's inspect (console.log, assertion messages, error properties) looks for this symbol.
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED;
  }

  [Symbol.dispose](): void {
    this.wipe();
  }

  #open(): Uint8Array {
    if (this.#bytes === null) throw new TypeError('this secret was wiped; open the credential again');
    return this.#bytes;
  }
}
