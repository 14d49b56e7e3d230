import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpCall } from '../../src/core/index.ts';
import type { PolicyGate } from '../../src/gateway/line.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { type FakeGate, makeService, openFakeGate, sendRaw } from '../support/gate-fakes.ts';

/** G3: the value that policy judged is the one that the log names and the upstream receives. */

let upstream: EchoUpstream;
let gate: FakeGate;
const judged: HttpCall[] = [];

const policy: Partial<PolicyGate> = {
  decide: (_passport, call) => {
    if (call.kind === 'http') judged.push(call);
    return { effect: 'allow', policies: ['test'], reason: 'allowed', generation: 1 };
  },
  needsBody: () => true,
};

beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openFakeGate({
    services: [
      makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] }),
      makeService({
        name: 'opaque',
        origins: [{ scheme: 'http', host: 'opaque.example', port: 80 }],
        encodedSlash: 'opaque',
      }),
    ],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstream.port, '127.0.0.1'),
    policy,
  });
});
afterAll(async () => {
  await gate.close();
  upstream.close();
});

const piece = fc.constantFrom(
  ...['a', 'B', '/', '.', '..', '%2e', '%2E', '%2f', '%41', '%7e', '%25', '%252e', ';', ';a=1', '//', '~'],
  ...['%C3%A9', '%c3%a9', '%00', '%', '\\', '|', '[', '"', '@', ':', '!', '*'],
);
const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`);
const query = fc
  .array(fc.constantFrom('a=1', '&', '?', '=', '%20', '%zz', '#', '/../', ';', '+', 'B'), { maxLength: 5 })
  .map((pieces) => (pieces.length === 0 ? '' : `?${pieces.join('')}`));
const body = fc.constantFrom('', 'plain', '{"a":1}', 'a=1&b=2', '\u0000\u0001');

describe('one canonical request', () => {
  it('is what policy judged, what the log names and what the upstream receives, or nothing leaves', async () => {
    let passed = 0;
    const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH');
    const service = fc.constantFrom('api', 'opaque');
    await fc.assert(
      fc.asyncProperty(method, service, path, query, body, async (verb, name, rawPath, rawQuery, text) => {
        const before = { judged: judged.length, seen: upstream.seen.length };
        const length = verb === 'GET' ? 0 : Buffer.byteLength(text);
        const head = `${verb} /s/${name}${rawPath}${rawQuery} HTTP/1.1\r\nHost: 127.0.0.1:${gate.gateway.port}\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
        const answer = await sendRaw(gate.gateway.port, [head, length === 0 ? '' : text]);
        if (answer.status !== 200) {
          expect(answer.text).toContain('application/problem+json');
          expect(upstream.seen.length).toBe(before.seen);
          return;
        }
        passed += 1;
        const call = judged[before.judged];
        const received = upstream.seen[before.seen];
        const recorded = gate.of('call.permitted').at(-1)?.data.call.target ?? '';
        expect(judged.length).toBe(before.judged + 1);
        expect(upstream.seen.length).toBe(before.seen + 1);
        expect(received?.method).toBe(call?.method);
        expect(received?.url).toBe(`${call?.path}${call?.query ? `?${call.query}` : ''}`);
        expect(received?.headers.host).toBe(call?.origin.host);
        // The log has the names of query parameters; their values may be secrets.
        expect(recorded.split('?')[0]).toBe(`${call?.method} http://${call?.origin.host}${call?.path}`);
        expect(call?.body.kind === 'buffered' ? Buffer.from(call.body.bytes).toString('latin1') : '').toBe(
          received?.body,
        );
      }),
      { numRuns: 200, seed: 3 },
    );
    expect(passed).toBeGreaterThan(20);
  });
});
