import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { type FakeGate, makeService, openFakeGate, sendRaw } from '../support/gate-fakes.ts';
import { findVectors } from '../support/shared.ts';
import { run } from '../vectors/http-framing.ts';

let upstream: EchoUpstream;
let gate: FakeGate;

beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openFakeGate({
    services: [makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }] })],
    resolve: async () => ['127.0.0.1'],
    dial: () => connect(upstream.port, '127.0.0.1'),
  });
});

afterAll(async () => {
  await gate.close();
  upstream.close();
});

function ask(...lines: readonly string[]) {
  const host = `127.0.0.1:${gate.gateway.port}`;
  return sendRaw(gate.gateway.port, [`${lines.join('\r\n').replaceAll('<host>', host)}\r\n\r\n`], {
    head: true,
  });
}

const vectors = findVectors();

describe('request smuggling', () => {
  test.skipIf(vectors === null)(
    'every framing vector, at the real servers (skipped without shared vectors)',
    async () => {
      const result = await run(`${vectors}/http-framing.json`);
      expect(result.failures).toEqual([]);
      expect(result.passed).toBe(result.total);
    },
  );

  test.each([
    ['two Host fields', ['GET /s/api/x HTTP/1.1', 'Host: <host>', 'Host: evil.example']],
    [
      'a length and a transfer coding',
      [
        'POST /s/api/x HTTP/1.1',
        'Host: <host>',
        'Content-Length: 4',
        'Transfer-Encoding: chunked',
        '',
        '0',
        '',
      ],
    ],
    [
      'two lengths',
      ['POST /s/api/x HTTP/1.1', 'Host: <host>', 'Content-Length: 4', 'Content-Length: 5', '', 'abcd'],
    ],
    [
      'a field name that folds into ours',
      ['GET /s/api/x HTTP/1.1', 'Host: <host>', 'Proxy_Authorization: DPoP x'],
    ],
    [
      'a Connection field that strips a credential',
      ['GET /s/api/x HTTP/1.1', 'Host: <host>', 'Connection: authorization', 'Authorization: Bearer x'],
    ],
    [
      'a Connection field that strips the length',
      ['POST /s/api/x HTTP/1.1', 'Host: <host>', 'Connection: content-length', 'Content-Length: 1', '', 'x'],
    ],
    ['WebSocket', ['GET /s/api/x HTTP/1.1', 'Host: <host>', 'Connection: upgrade', 'Upgrade: websocket']],
    ['TRACE, which would echo the secret', ['TRACE /s/api/x HTTP/1.1', 'Host: <host>']],
    ['a Host that is not ours', ['GET /s/api/x HTTP/1.1', 'Host: evil.example']],
  ])('%s is refused, and the connection closed', async (_name, lines) => {
    const before = upstream.seen.length;
    const answer = await ask(...lines);
    expect([400, 405, 421, 505]).toContain(answer.status);
    expect(answer.text.toLowerCase()).toContain('connection: close');
    expect(answer.text).toContain('application/problem+json');
    expect(upstream.seen.length).toBe(before);
  });

  test('a field that Connection names goes no further, and hop-by-hop fields neither', async () => {
    const answer = await ask(
      'GET /s/api/x HTTP/1.1',
      'Host: <host>',
      'Connection: keep-alive, x-private',
      'X-Private: 1',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Proxy-Connection: keep-alive',
      'X-Kept: 2',
    );
    expect(answer.status).toBe(200);
    const headers: Record<string, unknown> = upstream.seen.at(-1)?.headers ?? {};
    expect(headers['x-kept']).toBe('2');
    for (const name of ['x-private', 'te', 'proxy-connection']) expect(headers[name]).toBeUndefined();
  });

  test('a passport never goes upstream, whatever field it hides in', async () => {
    const answer = await ask(
      'GET /s/api/x HTTP/1.1',
      'Host: <host>',
      'Authorization: DPoP the.passport.itself',
      'DPoP: proof',
      'Sallyport-DPoP: proof',
      'Proxy-Authorization: Basic eDp5',
      'X-Copy: Bearer the.passport.itself',
      'Cookie: session=1',
    );
    expect(answer.status).toBe(200);
    const headers: Record<string, unknown> = upstream.seen.at(-1)?.headers ?? {};
    expect(JSON.stringify(headers)).not.toContain('the.passport.itself');
    expect(headers.dpop ?? headers['sallyport-dpop'] ?? headers['proxy-authorization']).toBeUndefined();
    expect(headers.cookie).toBe('session=1');
  });

  test('every refusal stands in the log with its code', async () => {
    await ask('GET /s/nowhere/x HTTP/1.1', 'Host: <host>');
    expect(gate.of('call.refused').at(-1)?.data).toMatchObject({ code: 'service_unknown' });
    await sendRaw(gate.gateway.port, ['\u0016\u0003\u0001 not http\r\n\r\n']);
    expect(gate.of('call.refused').at(-1)?.data).toMatchObject({ code: 'request_malformed', call: null });
  });
});
