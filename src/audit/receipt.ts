import type { ReceiptView } from '../core/index.ts';

/** Proof that a record is durable. The private field keeps an object literal from passing for one. */
export class Receipt implements ReceiptView {
  readonly #durable = true;
  readonly sequence: number;
  readonly hash: string;

  constructor(sequence: number, hash: string) {
    this.sequence = sequence;
    this.hash = hash;
  }

  /** True for what this room made, also where types were argued away. */
  static is(value: unknown): value is Receipt {
    return typeof value === 'object' && value !== null && #durable in value && value.#durable;
  }
}
