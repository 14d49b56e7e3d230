import { Agent, type ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { type ConnectorOptions, connectPinned } from './connector.ts';

export interface PinnedAgentOptions {
  /** Connections that may be open at once; more calls wait. */
  readonly maxSockets: number;
  /** Connections that are kept while no call uses them. */
  readonly maxFreeSockets: number;
  /** How long a connection is kept while no call uses it. */
  readonly idleTimeoutMs: number;
}

interface Idle {
  readonly socket: Socket;
  /** Of `performance.now`. */
  readonly since: number;
}

/**
 * Connections to one pinned destination with one credential. It speaks HTTP over sockets that the connector
 * made (TLS included), so it never looks up a name itself.
 *
 * Of Node's agent it is the interface alone that ClientRequest asks for (`addRequest`, and `free` on a socket whose
 * answer is through): its own book-keeping by name took longer than writing the request.
 */
export class PinnedAgent extends Agent {
  readonly #connector: ConnectorOptions;
  readonly #options: PinnedAgentOptions;
  readonly #open = new Set<Socket>();
  /** The one that was used last stands last, and is used first: the others run into their time. */
  #idle: Idle[] = [];
  readonly #waiting: ClientRequest[] = [];
  #connecting = 0;
  #retired = false;
  #sweep: NodeJS.Timeout | null = null;

  constructor(connector: ConnectorOptions, options: PinnedAgentOptions) {
    // Finite, or Node would say `Connection: close`.
    super({ keepAlive: true, maxSockets: options.maxSockets });
    this.#connector = connector;
    this.#options = options;
  }

  /** Called by ClientRequest: gives it a connection, now or later. */
  addRequest(request: ClientRequest): void {
    const socket = this.#takeIdle();
    if (socket !== null) {
      request.reusedSocket = true;
      request.onSocket(socket);
    } else if (this.#open.size + this.#connecting < this.#options.maxSockets) this.#connectFor(request);
    else this.#waiting.push(request);
  }

  /** Calls in flight end as they would; no connection is used again. */
  retire(): void {
    this.#retired = true;
    this.dropIdle();
  }

  /** Closes the connections that no call uses: the next call gets a fresh one. */
  dropIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const { socket } of idle) socket.destroy();
    this.#stopSweep();
  }

  override destroy(): void {
    this.retire();
    for (const socket of this.#open) socket.destroy();
  }

  #takeIdle(): Socket | null {
    const oldest = performance.now() - this.#options.idleTimeoutMs;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { socket, since } = idle;
      socket.off('data', destroyThis).off('end', destroyThis);
      if (since >= oldest && !socket.destroyed && socket.writable) return socket;
      socket.destroy();
    }
    return null;
  }

  #connectFor(request: ClientRequest): void {
    this.#connecting += 1;
    connectPinned(this.#connector).then(
      (socket) => {
        this.#connecting -= 1;
        this.#open.add(socket);
        socket
          .on('free', () => this.#free(socket))
          .on('error', ignore)
          .once('close', () => {
            this.#open.delete(socket);
            this.#idle = this.#idle.filter((one) => one.socket !== socket);
            this.#next();
          });
        request.onSocket(socket);
      },
      (error: unknown) => {
        this.#connecting -= 1;
        failWith(request, error);
        this.#next();
      },
    );
  }

  /** The answer is through, and both sides keep the connection. */
  #free(socket: Socket): void {
    // Its fields, the credential among them, would stay in memory for as long as the connection does.
    Reflect.set(socket, '_httpMessage', null);
    if (this.#retired || socket.destroyed || !socket.writable) {
      socket.destroy();
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.reusedSocket = true;
      next.onSocket(socket);
      return;
    }
    if (this.#idle.length >= this.#options.maxFreeSockets) {
      socket.destroy();
      return;
    }
    // Bytes that come while nobody asked are an answer meant for the next call (response queue poisoning).
    socket.on('data', destroyThis).on('end', destroyThis);
    this.#idle.push({ socket, since: performance.now() });
    this.#sweep ??= setInterval(() => this.#closeOld(), this.#options.idleTimeoutMs).unref();
  }

  #next(): void {
    const request = this.#waiting.shift();
    if (request !== undefined) this.addRequest(request);
  }

  #closeOld(): void {
    const oldest = performance.now() - this.#options.idleTimeoutMs;
    for (const { socket, since } of this.#idle) if (since < oldest) socket.destroy();
    this.#idle = this.#idle.filter(({ socket }) => !socket.destroyed);
    if (this.#idle.length === 0) this.#stopSweep();
  }

  #stopSweep(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
  }
}

/** Node's own way to say that there is no connection; its types know only of the other answer. */
function failWith(request: ClientRequest, error: unknown): void {
  (request as unknown as { onSocket(socket: null, error: unknown): void }).onSocket(null, error);
}

function destroyThis(this: Socket): void {
  this.destroy();
}

function ignore(): void {
  // Whoever uses the connection hears of it by his own listener; an idle one closes, and is gone.
}
