import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Output } from '../output.ts';

/** Takes lines for a file, or for standard output when there is none. */
export class LineSink {
  readonly #file: ReturnType<typeof createWriteStream> | null;
  readonly #output: Output;
  #fault: unknown = null;

  constructor(path: string | undefined, output: Output) {
    this.#output = output;
    this.#file = path === undefined ? null : createWriteStream(path);
    this.#file?.on('error', (fault) => {
      this.#fault = fault;
    });
  }

  async write(value: unknown): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    if (this.#file === null) this.#output.raw(line);
    else if (!this.#file.write(line) && this.#fault === null) await once(this.#file, 'drain');
    if (this.#fault !== null) throw this.#fault;
  }

  async end(): Promise<void> {
    if (this.#file === null) return;
    this.#file.end();
    if (this.#fault === null) await once(this.#file, 'close');
    if (this.#fault !== null) throw this.#fault;
  }
}
