import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';

/** A server of MCP behind the gate: what it says of its tools counts for the calls that follow. */

const TOOLS = [
  { name: 'opax', inputSchema: { type: 'object' }, annotations: { destructiveHint: true } },
  { name: 'opbx', inputSchema: { type: 'object' } },
];

let gate: RealGate;
let server: Server;
let client: GateClient;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const result = method === 'tools/list' ? { tools: TOOLS } : { content: [{ type: 'text', text: 'done' }] };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  gate = await openRealGate();
  await gate.services.put(
    {
      name: 'crm',
      origins: [`http://crm.example:${(server.address() as AddressInfo).port}`],
      allowPrivate: true,
      inspectBody: true,
    },
    'admin',
  );
  client = await GateClient.of(
    await gate.newAgent(['crm:read', 'crm:write', 'tools:call']),
    gate.gateway.port,
  );
});
afterAll(async () => {
  await gate?.close();
  server?.close();
});

function post(path: string, body: unknown) {
  return client.ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

const rpc = (method: string, params = {}) => post('/s/crm/mcp', { jsonrpc: '2.0', id: 1, method, params });

/** What was found of the call that was made last. */
async function findings(): Promise<readonly string[]> {
  const [permitted] = (await gate.eventsOf('call.permitted')).slice(-1);
  return permitted?.findings.map(({ check }) => check) ?? [];
}

it('a tool that its server calls destructive is one, from the list on', async () => {
  await post('/v1/observe', {
    sessionId: 'h',
    phase: 'result',
    callId: 'c1',
    tool: 'browse_webpage',
    text: 'Some words.',
  });
  const wipe = () => rpc('tools/call', { name: 'opax', arguments: { name: 'plans' } });
  expect((await wipe()).status).toBe(200);
  expect(await findings()).not.toContain('flow.destroys');

  expect((await rpc('tools/list')).text).toContain('opax');
  expect((await wipe()).status).toBe(200);
  expect(await findings()).toContain('flow.destroys');
  expect((await rpc('tools/call', { name: 'opbx', arguments: {} })).status).toBe(200);
  expect(await findings()).not.toContain('flow.destroys');
});

it('a host can tell what a tool says of itself, with each call, and only to make the gate stricter', async () => {
  const seen = { sessionId: 'h', tool: 'browse_webpage', text: 'Some words.' };
  await post('/v1/observe', { ...seen, phase: 'result', callId: 'd1' });
  const decide = async (more: object) => {
    const call = { sessionId: 'h', phase: 'call', callId: 'd2', tool: 'opcx', args: { name: 'plans' } };
    const { status, json } = await post('/v1/decide', { ...call, ...more });
    const told = json as { findings?: { check: string }[]; code?: string };
    return { status, checks: told.findings?.map(({ check }) => check), code: told.code };
  };
  expect(await decide({})).toMatchObject({ status: 200, checks: [] });
  expect((await decide({ annotations: { title: 'Op', destructiveHint: true } })).checks).toContain(
    'flow.destroys',
  );
  expect((await decide({ annotations: { destructiveHint: false } })).checks).toContain('flow.destroys');
  expect((await decide({})).checks).toContain('flow.destroys');
  expect(await decide({ annotations: ['destructiveHint'] })).toMatchObject({
    status: 400,
    code: 'input_invalid',
  });
});
