import type { IncomingMessage } from 'node:http';

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

function ignore(): void {
  // A sender that is gone needs no answer.
}
