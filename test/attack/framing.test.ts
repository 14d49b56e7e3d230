import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { type FakeGate, makeService, openFakeGate, readRaw } from '../support/gate-fakes.ts';

/**
 * Several requests on one raw connection, each framed well or badly. The bodies are requests themselves: whoever
 * counts otherwise than the gate finds one.
 */

let upstream: EchoUpstream;
let gate: FakeGate;
beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openFakeGate({
    services: [makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] })],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstream.port, '127.0.0.1'),
    options: { requestTimeoutMs: 1_000 },
  });
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
});

const SMUGGLED = 'GET http://api.example/smuggled HTTP/1.1\r\nHost: api.example\r\n\r\n';
const body = fc.constantFrom(
  '',
  'x',
  SMUGGLED,
  `${SMUGGLED}${SMUGGLED}`,
  '0\r\n\r\n',
  '\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
);

interface Framed {
  readonly fields: readonly string[];
  readonly bytes: string;
}

const inChunks = (text: string) =>
  `${text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`}0\r\n\r\n`;

/** What HTTP/1.1 allows, and means the same to everybody. */
const well = fc.oneof(
  body.map((text): Framed => ({ fields: [`Content-Length: ${text.length}`], bytes: text })),
  body.map((text): Framed => ({ fields: ['Transfer-Encoding: chunked'], bytes: inChunks(text) })),
  body.map((text): Framed => ({ fields: ['transfer-encoding:\tChunked'], bytes: inChunks(text) })),
);

/** What two parsers count differently. */
const badly = fc.tuple(body, fc.nat(60)).chain(([text, other]) => {
  const [length, coding] = [`Content-Length: ${text.length}`, 'Transfer-Encoding: chunked'];
  return fc.constantFrom<Framed>(
    { fields: [length, coding], bytes: inChunks(text) },
    { fields: [coding, length], bytes: text },
    { fields: [length, `Content-Length: ${text.length + 1 + other}`], bytes: text },
    { fields: [length, length], bytes: text },
    { fields: [`Content-Length: ${text.length}, ${text.length}`], bytes: text },
    { fields: [`Content-Length: +${text.length}`], bytes: text },
    { fields: [`Content-Length: 0x${text.length}`], bytes: text },
    { fields: [`Content-Length : ${text.length}`], bytes: text },
    { fields: [`Content_Length: ${text.length}`], bytes: text },
    { fields: ['Transfer-Encoding: xchunked'], bytes: inChunks(text) },
    { fields: ['Transfer-Encoding: chunked, identity'], bytes: inChunks(text) },
    { fields: ['Transfer-Encoding : chunked'], bytes: inChunks(text) },
    { fields: ['Transfer-Encoding: \u000bchunked'], bytes: inChunks(text) },
    { fields: [coding, coding], bytes: inChunks(text) },
    { fields: ['X: 1\n Transfer-Encoding: chunked'], bytes: inChunks(text) },
    { fields: [coding], bytes: `${text.length.toString(16)};a\n\r\n${text}\r\n0\r\n\r\n` },
    { fields: [coding], bytes: `-1\r\n${text}\r\n0\r\n\r\n` },
    { fields: [coding], bytes: `ffffffffffffffffff\r\n${text}` },
  );
});

it('for any mix of framings, nothing from the first bad request on reaches the upstream, and each answer is its own', async () => {
  const framed = fc.oneof(
    { weight: 3, arbitrary: well.map((one) => ({ ...one, good: true })) },
    { weight: 1, arbitrary: badly.map((one) => ({ ...one, good: false })) },
  );
  let reached = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(framed, { minLength: 1, maxLength: 4 }), async (requests) => {
      upstream.seen.length = 0;
      const host = `127.0.0.1:${gate.gateway.port}`;
      const text = requests
        .map(
          ({ fields, bytes }, number) =>
            `POST /s/api/${number} HTTP/1.1\r\nHost: <host>\r\n${fields.join('\r\n')}\r\n\r\n${bytes}`,
        )
        .join('');
      const firstBad = requests.findIndex(({ good }) => !good);
      const good = firstBad < 0 ? requests.length : firstBad;
      const socket = connect(gate.gateway.port, '127.0.0.1');
      socket.write(text.replaceAll('<host>', host), 'latin1');
      const wanted = good + (firstBad < 0 ? 0 : 1);
      const answer = await readRaw(
        socket,
        2_500,
        (got) => statusesOf(got).length >= wanted && /[}\n]$/.test(got),
      );
      const served = upstream.seen.length;
      // Never more than the good ones, in their order; behind a fault the gate may close before it serves them all.
      expect(upstream.seen.map(({ url }) => url)).toEqual(
        Array.from({ length: served }, (_, at) => `/${at}`),
      );
      expect(served).toBeLessThanOrEqual(good);
      if (firstBad < 0) expect(served).toBe(good);
      const statuses = statusesOf(answer.text);
      expect(statuses.slice(0, served)).toEqual(Array.from({ length: served }, () => 200));
      expect(statuses.slice(served).filter((status) => status < 400)).toEqual([]);
      reached += served;
    }),
    { numRuns: 120, seed: 11 },
  );
  expect(reached).toBeGreaterThan(100);
});

function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}
