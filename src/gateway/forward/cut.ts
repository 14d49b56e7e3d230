import type { ServerResponse } from 'node:http';
import { Refusal } from '../../core/index.ts';
import type { Exchange } from './exchange.ts';

/**
 * The way to end a call at any step: by a revocation, at shutdown, or because the agent hung up. The first
 * reason counts.
 */
export class Cut {
  readonly #response: ServerResponse;
  readonly #onClose = () => {
    if (!this.#response.writableFinished) this.now(new Refusal('client_gone'));
  };
  #exchange: Exchange | null = null;
  #reason: Refusal | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.once('close', this.#onClose);
    // It may have gone while the passport was checked; 'close' does not come twice.
    if (response.destroyed || response.req.socket.destroyed) this.now(new Refusal('client_gone'));
  }

  now(reason: Refusal): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#exchange?.abort(reason);
    // Where the head is out already, a closed connection is the only honest end (RFC 9112 section 8).
    if (this.#response.headersSent) this.#response.destroy();
  }

  /** Throws the reason when the call was cut. */
  check(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** From now on a cut ends this exchange too. */
  watch(exchange: Exchange): void {
    this.#exchange = exchange;
    if (this.#reason !== null) exchange.abort(this.#reason);
  }

  get reason(): Refusal | null {
    return this.#reason;
  }

  end(): void {
    this.#response.off('close', this.#onClose);
  }
}
