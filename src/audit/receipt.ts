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

  static isOne(value: unknown): value is Receipt {
    return typeof value === 'object' && value !== null && #durable in value && value.#durable;
  }
}

/** True for what the log made alone, also where the types were argued away. */
export function isReceipt(value: unknown): value is Receipt {
  return Receipt.isOne(value);
}
