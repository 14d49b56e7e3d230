import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { makeService, openFakeGate, sendRaw } from '../support/gate-fakes.ts';

const SECRET = `fake-redirect-secret-${crypto.randomUUID()}`;

/** A gate before an upstream that gives these bytes, with a credential to lose. */
async function askThrough(bytes: string) {
  const requests: string[] = [];
  const dialled: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      requests.push(chunk.toString('latin1'));
      socket.write(bytes.replaceAll('<secret>', SECRET));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const gate = await openFakeGate({
    services: [
      makeService({ origins: [{ scheme: 'http', host: 'api.example', port: 80 }], credential: 'key' }),
    ],
    secrets: { key: SECRET },
    resolve: async () => ['127.0.0.1'],
    dial: ({ host }) => {
      dialled.push(host);
      return connect(port, '127.0.0.1');
    },
  });
  const own = `127.0.0.1:${gate.gateway.port}`;
  const answer = await sendRaw(
    gate.gateway.port,
    [`GET /s/api/a HTTP/1.1\r\nHost: ${own}\r\nRange: bytes=0-9\r\n\r\n`],
    { quietMs: 400 },
  );
  const failed = gate.of('call.failed').map(({ data }) => data.code);
  await gate.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  return { answer, requests, dialled, failed };
}

describe('answers that want the credential elsewhere', () => {
  test.each([301, 302, 303, 307, 308])(
    'a %d is handed on, and nothing is sent to where it points',
    async (status) => {
      const { answer, requests, dialled } = await askThrough(
        `HTTP/1.1 ${status} Moved\r\nLocation: https://evil.example/?k=<secret>\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(answer.status).toBe(status);
      expect(answer.text).not.toContain(SECRET);
      expect(answer.text).toContain('evil.example');
      expect(requests.length).toBe(1);
      expect(dialled.length).toBe(1);
    },
  );

  test('Alt-Svc, proxy challenges and what looks like the gate’s own word stay at the gate', async () => {
    const { answer } = await askThrough(
      'HTTP/1.1 200 OK\r\nSallyport-Refusal: policy_denied\r\nAlt-Svc: h3=":443"\r\nProxy-Authenticate: Basic\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: 0\r\n\r\n',
    );
    expect(answer.text.toLowerCase()).not.toMatch(/alt-svc|proxy-authenticate|x-hop|sallyport-refusal/);
    expect(answer.text.toLowerCase()).toContain('x-end: 2');
  });

  test('an unasked switch of protocols is a bad gateway', async () => {
    const { answer, failed } = await askThrough(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: raw\r\nConnection: upgrade\r\n\r\n<secret>',
    );
    expect(answer.status).toBe(502);
    expect(answer.text).not.toContain(SECRET);
    expect(failed).toEqual(['upstream_malformed']);
  });

  test('interim answers are not passed on', async () => {
    const { answer } = await askThrough(
      'HTTP/1.1 103 Early Hints\r\nLink: <secret>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    );
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain('103');
    expect(answer.text).not.toContain(SECRET);
  });

  test('a coding that can not be undone is refused, and no part of it leaves', async () => {
    const { answer } = await askThrough(
      'HTTP/1.1 200 OK\r\nContent-Encoding: secret-sauce\r\nContent-Length: 3\r\n\r\nabc',
    );
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('upstream_coding');
  });

  test('the secret is taken out of reason, field and trailer', async () => {
    const { answer, requests } = await askThrough(
      'HTTP/1.1 200 <secret>\r\nX-Key: <secret>\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: <secret>\r\n\r\n',
    );
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain(SECRET);
    expect(requests[0]).toContain(SECRET);
    // Two ranges could split a secret so that neither holds it.
    expect(requests[0]?.toLowerCase()).not.toContain('range:');
  });
});
