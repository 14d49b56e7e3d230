import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestService, type TestService } from '../support/service.ts';
import { type Bench, jwkOf, newKey, TestAgent } from '../unit/passport/support.ts';

/** A scope that nobody has a reason to ask for, from the request for a passport to the webhook of a SIEM. */

let service: TestService;
let siem: Server;
let agent: TestAgent;
const alerts: Record<string, unknown>[] = [];

beforeAll(async () => {
  service = await startTestService({}, { file: 'detector: { decoys: { scopes: ["vault:root"] } }\n' });
  siem = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    alerts.push(JSON.parse(Buffer.concat(chunks).toString('utf8')));
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(siem, 'listening');
  const url = `http://127.0.0.1:${(siem.address() as AddressInfo).port}/alerts`;
  await post('/sinks', { name: 'siem', kind: 'webhook', options: { url, allowPrivate: true } });
  await post('/services/tickets', { origins: ['https://tickets.example'] }, 'PUT');
  const [key, dpop] = [await newKey(), await newKey()];
  const registered = await post('/agents', {
    name: 'curious',
    owner: 'team',
    scopes: ['tickets:read'],
    jwks: [jwkOf(key)],
  });
  const { id } = registered.agent as { id: string };
  // Of the bench, an agent asks for nothing but where the issuer is.
  const bench = { issuer: service.controlUrl, identifier: service.controlUrl } as Bench;
  agent = new TestAgent(bench, id, key, dpop);
});
afterAll(async () => {
  siem?.close();
  await service?.close();
});

async function post(path: string, body: unknown, method = 'POST'): Promise<Record<string, unknown>> {
  const response = await fetch(`${service.controlUrl}/admin/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

it('is listed where a thief looks, and whoever asks for it gets no passport and is told on', async () => {
  const metadata = await fetch(`${service.gatewayUrl}/.well-known/oauth-protected-resource`);
  expect(((await metadata.json()) as { scopes_supported: string[] }).scopes_supported).toContain(
    'vault:root',
  );

  expect((await agent.request({ form: { scope: 'tickets:read' } })).status).toBe(200);
  const { status, body } = await agent.request({ form: { scope: 'tickets:read vault:root' } });
  expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  expect(body.access_token).toBeUndefined();

  await expect.poll(() => alerts, { timeout: 10_000 }).toHaveLength(1);
  expect(JSON.stringify(alerts)).toContain('decoy.scope');
  expect(alerts[0]).toMatchObject({ type: 'alert.raised', data: { severity: 'critical' } });
  expect(JSON.stringify(alerts[0])).toContain(agent.id);
  expect(JSON.stringify(alerts[0])).toContain('The decoy scope vault:root was asked for');
  expect(service.faults).toEqual([]);
});
