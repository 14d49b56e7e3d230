import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { CliFault, EXIT, usageFault } from './fault.ts';

/** Standard input, and questions to the person before it. */
export class Terminal {
  readonly #input: Readable | ReadStream;
  readonly #prompt: { write(text: string): unknown };

  constructor(o: {
    readonly input: Readable | ReadStream;
    readonly prompt: { write(text: string): unknown };
  }) {
    this.#input = o.input;
    this.#prompt = o.prompt;
  }

  get isInteractive(): boolean {
    return 'isTTY' in this.#input && this.#input.isTTY === true;
  }

  /** A secret: from a pipe whole (less one line end), from a person without echo. */
  async readSecret(question: string, maxBytes: number): Promise<Buffer> {
    const bytes = this.isInteractive
      ? Buffer.from(await this.#askHidden(question))
      : stripLineEnd(await this.readAll(maxBytes));
    if (bytes.length === 0) throw usageFault('No secret was given.', 'Pipe it in, or type it at the prompt.');
    return bytes;
  }

  /** All of standard input. */
  async readAll(maxBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#input) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk);
      size += bytes.length;
      // One more byte than allowed is let through, so that the service can say what the limit is.
      if (size > maxBytes + 2) throw usageFault(`Standard input holds more than ${maxBytes} bytes.`);
      chunks.push(bytes);
    }
    return Buffer.concat(chunks);
  }

  /** True when the person types yes; false without a person. */
  async confirm(question: string): Promise<boolean> {
    if (!this.isInteractive) return false;
    this.#prompt.write(`${question} [y/N] `);
    for await (const chunk of this.#input) return /^y(es)?\s*$/i.test(String(chunk));
    return false;
  }

  #askHidden(question: string): Promise<string> {
    const input = this.#input;
    if (!('setRawMode' in input)) throw new TypeError('only a terminal can be asked');
    this.#prompt.write(question);
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.resume();
    return new Promise((resolve, reject) => {
      let typed = '';
      const finish = (settle: () => void): void => {
        input.off('data', onData);
        input.setRawMode(false);
        input.pause();
        this.#prompt.write('\n');
        settle();
      };
      const onData = (chunk: string): void => {
        for (const key of chunk) {
          if (key === '\r' || key === '\n' || key === '\u0004') {
            finish(() => resolve(typed));
            return;
          }
          if (key === '\u0003') {
            finish(() => reject(new CliFault(EXIT.usage, 'cancelled', 'Cancelled; nothing was changed.')));
            return;
          }
          if (key === '\u007f' || key === '\b') typed = [...typed].slice(0, -1).join('');
          else if (key >= ' ') typed += key;
        }
      };
      input.on('data', onData);
    });
  }
}

function stripLineEnd(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  return bytes.subarray(0, bytes.length - end);
}
