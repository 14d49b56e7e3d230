import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Joins two byte streams. Each direction ends by itself (half-close), a slow reader slows its writer down
 * (`pipe` waits for `drain`), and when one side breaks, so does the other: a cut answer must not look whole.
 */
export function splice(one: Duplex, other: Duplex): void {
  for (const [source, sink] of [
    [one, other],
    [other, one],
  ] as const) {
    source.pipe(sink);
    source.on('error', () => breakOff(sink));
    source.once('close', () => {
      if (!source.readableEnded) breakOff(sink);
    });
    sink.once('close', () => {
      // Nobody reads any more what the source still sends.
      if (!sink.writableFinished) breakOff(source);
    });
  }
}

/** An end could be taken for the end of an answer; a reset can't. */
function breakOff(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy();
  else stream.destroy();
}
