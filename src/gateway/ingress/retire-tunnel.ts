import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { closeSoon } from '../answer-and-discard.ts';

/** How long before its passport expires a tunnel is closed. */
const BEFORE_EXPIRY_MS = 10_000;
/** What Node's timers can count. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Closes a tunnel shortly before its passport expires: its proof was made once, so each later request inside
 * would be refused, and a client that keeps its connection could not tell why. A closed connection between two
 * requests makes it open another tunnel, with a new passport. An answer that is under way ends first.
 */
export function retireBeforeExpiry(o: {
  readonly socket: Socket;
  /** Milliseconds since the epoch, as `now`. */
  readonly expiresAt: number;
  readonly now: number;
  /** The answer that the tunnel works on; null between two requests. */
  readonly responding: () => ServerResponse | null;
}): void {
  const { socket, expiresAt, now, responding } = o;
  const leftMs = Math.max(0, expiresAt - now);
  // A tunnel that opens late keeps half of what is left: it is there for at least one request.
  const timer = setTimeout(retire, Math.min(Math.max(leftMs - BEFORE_EXPIRY_MS, leftMs / 2), MAX_TIMER_MS));
  timer.unref();
  socket.once('close', () => clearTimeout(timer));

  function retire(): void {
    const response = responding();
    if (response === null) {
      closeSoon(socket);
      return;
    }
    // Says `Connection: close` where the head was not sent yet.
    response.shouldKeepAlive = false;
    response.once('close', () => closeSoon(socket));
  }
}
