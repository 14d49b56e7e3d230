import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Joins two byte streams. Each direction ends by itself (half-close), a slow reader slows its writer down, and when
 * one side breaks, so does the other: a cut answer must not look whole.
 */
export function splice(one: Duplex, other: Duplex): void {
  for (const [source, sink] of [
    [one, other],
    [other, one],
  ] as const) {
    carry(source, sink);
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

/** What `pipe` does for one reader, without its book-keeping: a third less for each chunk, and a call is four of them. */
function carry(source: Duplex, sink: Duplex): void {
  const goOn = () => source.resume();
  source.on('data', (chunk: Buffer) => {
    if (sink.write(chunk)) return;
    source.pause();
    sink.once('drain', goOn);
  });
  if (source.readableEnded) sink.end();
  else source.once('end', () => sink.end());
  // It may have been paused while its first bytes were looked at.
  source.resume();
}

/** An end could be taken for the end of an answer; a reset can't. */
function breakOff(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy();
  else stream.destroy();
}
