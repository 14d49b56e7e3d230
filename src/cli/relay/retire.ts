import type { Duplex } from 'node:stream';

const LOOK_EVERY_MS = 500;
/** A tunnel without a byte for so long is taken to be between two requests. */
const IDLE_MS = 1_000;
/** How long before expiry a tunnel begins to be looked at. */
const BEFORE_EXPIRY_MS = 5_000;

/**
 * Closes a tunnel whose passport is about to expire as soon as it is idle. The gateway checks expiry at each
 * request inside a tunnel (DESIGN rule 1), and the proof of a tunnel is made once: a client that keeps its
 * connection would be refused from then on. A closed idle connection makes it open another one, with a new
 * passport. A tunnel that is busy is left alone: the answer in flight may end.
 */
export function retireWhenIdle(client: Duplex, gateway: Duplex, expiresAt: number): void {
  let movedAt = Date.now();
  const moved = () => {
    movedAt = Date.now();
  };
  client.on('data', moved);
  gateway.on('data', moved);
  const look = () => {
    if (Date.now() - movedAt < IDLE_MS) {
      timer = setTimeout(look, LOOK_EVERY_MS).unref();
      return;
    }
    client.end();
    gateway.end();
  };
  let timer = setTimeout(look, Math.max(0, expiresAt - BEFORE_EXPIRY_MS - Date.now())).unref();
  client.once('close', () => clearTimeout(timer));
  gateway.once('close', () => clearTimeout(timer));
}
