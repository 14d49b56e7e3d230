import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';

/** Decoys that the gate lays out by itself: in its listing, and in answers that pass through it. */

const ENV = 'DB_HOST=db.internal\nDB_USER=app\n';

let gate: RealGate;
let upstream: Server;
let client: GateClient;
const asked: { readonly sid: string | null; readonly scopes: readonly string[] }[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/.env') {
      response.writeHead(200, {
        'content-type': 'text/plain',
        'content-length': Buffer.byteLength(ENV),
        etag: '"of-the-old-body"',
      });
      response.end(ENV);
    } else if (path === '/chunked') {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write(ENV.slice(0, 7));
      response.end(ENV.slice(7));
    } else if (path === '/long') {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(ENV.repeat(10_000));
    } else if (path === '/binary') {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.end(Buffer.from([0xff, 0x00, 0x41]));
    } else {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"message":"Not Found"}');
    }
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  gate = await openRealGate({
    detector: {
      bait: {
        listing: ['stripe-prod-admin'],
        results: [
          { from: 'plain', content: 'env-file', name: 'stripe-admin' },
          { from: 'plain', content: 'not-found', name: 'aws-backup' },
          { from: 'read_file', content: 'env-file', name: 'github-ci' },
        ],
        tools: [],
        scopes: ['vault:root'],
      },
    },
    bench: {
      onScopesAsked: async ({ sid, scopes }) => {
        asked.push({ sid, scopes });
      },
    },
  });
  await gate.services.put(
    {
      name: 'plain',
      origins: [`http://plain.example:${(upstream.address() as AddressInfo).port}`],
      allowPrivate: true,
      credential: null,
      upstreamCa: null,
    },
    'admin',
  );
  client = await GateClient.of(
    await gate.newAgent(['plain:read', 'plain:write', 'tools:call']),
    gate.gateway.port,
  );
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
});

describe('GET /v1/services', () => {
  it('tells what the passport may reach, and shows a decoy of this session among the credentials', async () => {
    const { status, json } = await client.ask('/v1/services');
    expect(status).toBe(200);
    expect(json.services).toMatchObject([
      { name: 'plain', credential: null, url: expect.stringMatching(/\/s\/plain\/$/) },
    ]);
    expect(json.credentials).toEqual([
      { name: 'stripe-prod-admin', value: expect.stringMatching(/^sk_live_[A-Za-z0-9]{24}$/) },
    ]);
    const other = await GateClient.of(await gate.newAgent(['plain:read']), gate.gateway.port);
    expect((await other.ask('/v1/services')).json.credentials).not.toEqual(json.credentials);
  });

  it('tells nothing of services that the passport has no scope for', async () => {
    const other = await GateClient.of(await gate.newAgent(['elsewhere:read']), gate.gateway.port);
    expect((await other.ask('/v1/services')).json.services).toEqual([]);
  });

  it('gives away who takes the decoy, to another session, too', async () => {
    const { json } = await client.ask('/v1/services');
    const [{ value }] = json.credentials as [{ value: string }];
    const other = await GateClient.of(await gate.newAgent(['plain:write', 'plain:read']), gate.gateway.port);
    const sent = await other.ask('/s/plain/x', {
      method: 'POST',
      body: Buffer.from(value).toString('base64'),
    });
    expect(sent.json).toMatchObject({ code: 'decoy_used' });
    const [alert] = (await gate.eventsOf('alert.raised')).slice(-1);
    expect(alert?.findings[0]?.evidence).toContain('by the gate, in the listing of services');
  });
});

describe('an answer that passes through the gate', () => {
  it('has the decoy in it, the length that it then has, and nothing that speaks of the old one', async () => {
    const { status, text, headers } = await client.ask('/s/plain/.env');
    expect(status).toBe(200);
    expect(text).toMatch(/^DB_HOST=db\.internal\nDB_USER=app\nSTRIPE_ADMIN=sk_live_\w{24}\n$/);
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    expect(headers.etag).toBeUndefined();
  });

  it('may come in chunks', async () => {
    expect((await client.ask('/s/plain/chunked')).text).toMatch(/STRIPE_ADMIN=sk_live_\w{24}\n$/);
  });

  it('may say that nothing is there', async () => {
    const { status, json } = await client.ask('/s/plain/nothing');
    expect(status).toBe(404);
    expect(json).toEqual({ message: 'Not Found', debug: { aws_backup: expect.stringMatching(/^AKIA/) } });
  });

  it('stays as it is when it is long, or no text', async () => {
    expect((await client.ask('/s/plain/long')).text).toBe(ENV.repeat(10_000));
    expect((await client.ask('/s/plain/binary')).text).not.toContain('AKIA');
  });
});

describe('a result that a host reports', () => {
  const report = (replaceable: boolean) =>
    client.ask('/v1/observe', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        sessionId: 'h',
        phase: 'result',
        callId: 'c1',
        tool: 'read_file',
        text: ENV,
        replaceable,
      }),
    });

  it('comes back with a decoy in it where the host can give it to its agent, and not else', async () => {
    expect((await report(true)).json.result).toMatch(/GITHUB_CI=ghp_\w{36}\n$/);
    expect((await report(false)).json.result).toBeUndefined();
  });
});

describe('a scope', () => {
  it('is told when an agent asks for it, before it is refused', async () => {
    const agent = await gate.newAgent(['plain:read']);
    const { status } = await agent.request({ form: { scope: 'plain:read vault:root' } });
    expect(status).toBe(400);
    expect(asked.at(-1)).toEqual({ sid: null, scopes: ['plain:read', 'vault:root'] });
  });
});
