/**
 * The guard's process: the only one that loads the addon and parses model files. It begins with no environment, no
 * sockets but the line to its parent, and few files (native/launch); once the model is loaded it can open nothing
 * more (rule 10 of docs/guarantees.md). It ends with its line.
 */
import { Socket } from 'node:net';
import { Answerer } from './answer.ts';
import { encodeFrame, FrameReader, REQUEST_BYTES } from './frames.ts';
import { requestSchema } from './messages.ts';
import { openServed, refusalOf } from './open-served.ts';

const line = new Socket({ fd: 3, readable: true, writable: true });
line.on('close', () => process.exit(0));
line.on('error', () => process.exit(0));

const reader = new FrameReader(REQUEST_BYTES);
line.on('data', function first(chunk: Buffer) {
  const messages = reader.push(chunk);
  if (messages.length === 0) return;
  line.off('data', first);
  line.pause();
  void start(messages);
});

async function start(messages: readonly unknown[]): Promise<void> {
  try {
    const order = requestSchema.parse(messages[0]);
    // The parent waits for `ready` before it asks for anything.
    if (order.type !== 'open' || messages.length > 1)
      throw new TypeError('the first message is to be open, alone');
    const { answers, ready } = await openServed(order);
    new Answerer(line, answers);
    line.write(encodeFrame(ready));
    line.resume();
  } catch (fault) {
    line.end(encodeFrame(refusalOf(fault)));
  }
}
