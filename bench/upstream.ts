import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { childInput, tellReady } from './lib/child.ts';

/**
 * The service behind everything that is measured: answers 1 KB of JSON, over http and https. Each answer has a number of
 * its own, so that a guard model which remembers what it has read has to read all the same.
 */
const { cert, key } = childInput<{ cert: string; key: string }>();
const DIGITS = 12;
const WORDS = 'The order of last week was sent on Monday and is on its way to the warehouse in the north. ';
const answers = { before: Buffer.from('{"number":"'), after: Buffer.from(`","note":"${noteOf(1024)}"}`) };
let number = 0;
const answer: RequestListener = (request, response) => {
  request.resume();
  number += 1;
  const digits = Buffer.from(String(number).padStart(DIGITS, '0'));
  const body = Buffer.concat([answers.before, digits, answers.after]);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
};
const open = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
const settings = { keepAliveTimeout: 120_000, noDelay: true };
tellReady({
  http: await open(createServer(settings, answer)),
  https: await open(createTlsServer({ ...settings, cert, key }, answer)),
});

/** Words for the rest of `length` bytes. */
function noteOf(length: number): string {
  return WORDS.repeat(Math.ceil(length / WORDS.length)).slice(
    0,
    length - DIGITS - '{"number":"","note":""}'.length,
  );
}
