import { Agent, type AgentOptions, type ClientRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ConnectorOptions, connectPinned } from './connector.ts';

/**
 * Connections to one pinned destination with one credential. It speaks HTTP over sockets that the connector
 * made (TLS included), so it never looks up a name itself.
 */
export class PinnedAgent extends Agent {
  readonly #connector: ConnectorOptions;
  #retired = false;

  constructor(connector: ConnectorOptions, options: AgentOptions) {
    super({ ...options, keepAlive: true });
    this.#connector = connector;
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    connectPinned(this.#connector).then(
      (socket) => callback?.(null, socket),
      // Node's types ask for a stream even with an error.
      (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
    );
    return undefined;
  }

  /** Calls in flight end as they would; no connection is used again. */
  retire(): void {
    this.#retired = true;
    this.dropIdle();
  }

  /** Closes the connections that no call uses: the next call gets a fresh one. */
  dropIdle(): void {
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (this.#retired) return false;
    // Node answers false where the server said that it closes; its types know of no answer.
    const kept: unknown = super.keepSocketAlive(socket);
    if (kept !== true) return false;
    // Bytes that come while nobody asked are an answer meant for the next call (response queue poisoning).
    socket.on('data', destroyThis);
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', destroyThis);
    super.reuseSocket(socket, request);
  }
}

function destroyThis(this: Duplex): void {
  this.destroy();
}
