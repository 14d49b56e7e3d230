import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The order of requests on one connection. Node hands out pipelined requests as soon as it has read them; served
 * side by side, one behind a request that is refused would still be carried out, and a refusal could be written
 * into the middle of an earlier answer.
 */
export class Turns {
  readonly #last = new WeakMap<Socket, ServerResponse>();

  /** Null: it is the response's turn. Else it is when the promise resolves: the earlier answer has ended. */
  take(socket: Socket, response: ServerResponse): Promise<void> | null {
    const before = this.#last.get(socket);
    this.#last.set(socket, response);
    if (before === undefined || before.closed) return null;
    return new Promise((resolve) => before.once('close', () => resolve()));
  }
}
