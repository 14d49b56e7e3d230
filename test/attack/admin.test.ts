import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, startAdminApi } from '../unit/admin/api-server.ts';

let api: Awaited<ReturnType<typeof startAdminApi>>;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

const AGENT = { name: 'probe', owner: 'o', scopes: ['a:b'], withSecret: true };

function refused(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.json?.code }).toEqual({ status, code });
}

/** Bytes as they are, past any client library; what is answered until the head is whole, or the connection ends. */
async function sendRaw(text: string | Buffer): Promise<string> {
  const socket = connect(api.port, '127.0.0.1');
  await once(socket, 'connect');
  // Not `end`: Node drops a request whose sender has closed its half.
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += chunk;
    if (answer.includes('\r\n\r\n')) break;
  }
  return answer;
}

describe('a page that a browser loaded from elsewhere', () => {
  it('is turned away by its Host field (DNS rebinding), even with a right token', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${api.port}`,
      '127.0.0.1.evil.example',
      'localhost.',
      '0',
    ]) {
      refused(
        await api.send('GET', '/agents', { token: api.token, headers: { host } }),
        421,
        'authority_mismatch',
      );
    }
    const { port } = api;
    const without = `GET /admin/v1/agents HTTP/1.1\r\nHost:\r\nAuthorization: Bearer ${api.token}\r\nConnection: close\r\n\r\n`;
    expect(await sendRaw(without)).toMatch(/^HTTP\/1\.1 4\d\d /);
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`]) {
      expect((await api.send('GET', '/agents', { token: api.token, headers: { host } })).status).toBe(200);
    }
  });

  it('gets no CORS permission and no cookie', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'PUT' };
    const preflight = await api.send('OPTIONS', '/agents', { headers });
    expect(preflight.status).toBe(401);
    const answer = await api.send('GET', '/agents', { token: api.token, headers });
    for (const { headers: fields } of [preflight, answer]) {
      expect(Object.keys(fields).filter((name) => /^access-control|^set-cookie/.test(name))).toEqual([]);
    }
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('bodies', () => {
  const put = (o: Parameters<typeof api.send>[2]) => api.send('POST', '/agents', { token: api.token, ...o });

  it('that are too large are refused, announced or not', async () => {
    refused(await put({ raw: `{"name":"${'a'.repeat(300_000)}"}` }), 413, 'body_too_large');
    const head = `POST /admin/v1/agents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    expect(await sendRaw(`${head}${chunk.repeat(6)}0\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('of another type, coding or charset are refused', async () => {
    const raw = JSON.stringify(AGENT);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-16',
      '',
    ]) {
      refused(await put({ raw, headers: { 'content-type': type } }), 400, 'input_invalid');
    }
    refused(await put({ raw, headers: { 'content-encoding': 'gzip' } }), 400, 'input_invalid');
  });

  it('that parsers read in more than one way are refused', async () => {
    for (const raw of [
      '{"name":"a","name":"b"}',
      '{"na\\u006de":"a","name":"b"}',
      '{"__proto__":{"role":"admin"}}',
      '[]',
      'null',
      '"x"',
      '{"name":"a"} {}',
      '{"name":NaN}',
      Buffer.from([0x7b, 0xff, 0x7d]),
      '['.repeat(50_000),
      `{"jwks":${'['.repeat(100)}${']'.repeat(100)}}`,
    ]) {
      refused(await put({ raw }), 400, 'input_invalid');
    }
  });

  it('with names that inject or traverse are refused, and none of them is registered', async () => {
    const names = [
      '../../etc/passwd',
      "'; DROP TABLE agents;--",
      'a\r\nX: y',
      'a\u0000b',
      '\u202eevil',
      '{{7*7}}',
      '',
      'A',
    ];
    for (const name of names) refused(await put({ body: { ...AGENT, name } }), 400, 'input_invalid');
    expect((await put({ body: { ...AGENT, owner: 'ann\u001b[2J' } })).status).toBe(400);
    expect(await api.events('agent.registered')).toEqual([]);
  });
});

describe('paths', () => {
  it('that climb, or hide their steps, find nothing and break nothing', async () => {
    for (const path of [
      '/agents/..%2f..%2fetc',
      '/agents/%2e%2e',
      '/agents/%00',
      '/agents/a%0d%0ab',
      '/credentials/..%5c..',
      '/agents//',
      '/AGENTS',
      '/agents/',
      '/agents/%',
      `/agents/${'a'.repeat(5000)}`,
      '/services/constructor/__proto__',
    ]) {
      const { status, json } = await api.send('GET', path, { token: api.token });
      expect([400, 404], path).toContain(status);
      expect(['input_invalid', 'not_found', 'request_malformed'], path).toContain(json?.code);
    }
  });
});

describe('guessing', () => {
  it('is slowed down and stops filling the log, while the right token still passes', async () => {
    const guess = { token: `sp_admin_${'B'.repeat(43)}` };
    const answers: Answer[] = [];
    for (let at = 0; at < 60; at += 1) answers.push(await api.send('GET', '/agents', guess));
    expect(answers.at(-1)).toMatchObject({ status: 429 });
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await api.send('GET', '/agents', { token: api.token })).status).toBe(200);
    const refusals = (await api.events('admin.refused')).filter(
      ({ code }) => code === 'admin_unauthenticated',
    );
    expect(refusals.length).toBeLessThanOrEqual(20);
    expect(JSON.stringify(refusals)).not.toContain('sp_admin_');
  });

  it('with two Authorization fields is refused', async () => {
    const answer = await sendRaw(
      `GET /admin/v1/agents HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\nAuthorization: Bearer x\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (401|429|400) /);
  });

  it('leaves no fault behind', () => {
    expect(api.faults).toEqual([]);
  });
});
