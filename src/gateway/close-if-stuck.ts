import type { ServerResponse } from 'node:http';

/**
 * Watches an answer that is all written and not yet all sent. A client that stops reading would keep its connection,
 * and what is left of the answer, for as long as it likes: one that takes nothing for `patienceMs` is cut.
 */
export function closeIfStuck(response: ServerResponse, patienceMs: number): void {
  const { socket } = response;
  // A response that waits behind another one has no connection yet; the first one is watched.
  if (socket === null || !response.writableEnded || response.writableFinished) return;
  // Node's timer knows writes that move from those that don't, and its server destroys a connection when it ends.
  socket.setTimeout(patienceMs);
  // Before Node's own listener, which gives a connection that is kept its time to be idle.
  response.prependOnceListener('finish', () => socket.setTimeout(0));
}
