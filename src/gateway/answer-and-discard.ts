import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** How long a refused sender may go on before its connection is closed. */
const LINGER_MS = 1000;

/**
 * Answers a request whose body is still coming. Closing at once would reset the connection, and the sender
 * would lose the answer with it: the rest of its body is thrown away for a moment first.
 */
export function answerAndDiscard(request: IncomingMessage, answer: string): void {
  const { socket } = request;
  const close = () => {
    clearTimeout(timer);
    socket.end(() => socket.destroy());
  };
  const timer = setTimeout(close, LINGER_MS);
  socket.write(answer, 'utf8');
  socket.once('close', () => clearTimeout(timer));
  request.on('error', ignore).once('end', close).resume();
}

/**
 * The last words on a connection that has no response object. One that is only ended stays open for as long as its
 * peer likes, and nobody would count it.
 */
export function answerAndClose(socket: Socket, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  // Reading on is how the end of the peer is noticed, and keeps a reset from overtaking the answer.
  socket.resume().end(answer);
}

/** Ends a connection between two messages; the peer has a moment to close its side. */
export function closeSoon(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.end();
}

function ignore(): void {
  // A sender that is gone needs no answer.
}
