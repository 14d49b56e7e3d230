import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeTestAuthority } from '../support/certificates.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient, read } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import type { TestAgent } from '../unit/passport/support.ts';

const SECRET = `fake-upstream-key-${crypto.randomUUID()}`;
const POLICY = `
@id("held")
@hold("Deleting needs a person.")
permit (principal, action == Action::"http.call", resource == Service::"api")
when { context.method == "DELETE" };

@id("never")
forbid (principal, action == Action::"http.call", resource == Service::"api")
when { context.path like "/forbidden/*" };
`;

let gate: RealGate;
let upstream: EchoUpstream;
let plain: EchoUpstream;
let agent: TestAgent;
let client: GateClient;

beforeAll(async () => {
  const authority = await makeTestAuthority();
  upstream = await openEchoUpstream(await authority.issue('api.example'));
  plain = await openEchoUpstream();
  gate = await openRealGate({ policy: POLICY });
  await gate.services.put(
    {
      name: 'api',
      origins: [`https://api.example:${upstream.port}`],
      credential: 'api-key',
      allowPrivate: true,
      upstreamCa: authority.certificatePem,
    },
    'admin',
  );
  await gate.services.put(
    {
      name: 'plain',
      origins: [`http://plain.example:${plain.port}`],
      credential: 'plain-key',
      allowPrivate: true,
    },
    'admin',
  );
  await gate.services.put(
    { name: 'private', origins: ['http://inside.example:9'], credential: null },
    'admin',
  );
  await gate.putCredential('api-key', SECRET, ['api']);
  await gate.putCredential('plain-key', SECRET, ['plain']);
  agent = await gate.newAgent(['api:read', 'api:write', 'plain:read', 'plain:write', 'private:read']);
  client = await GateClient.of(agent, gate.gateway.port);
});

afterAll(async () => {
  await gate?.close();
  upstream?.close();
  plain?.close();
});

describe('calls that pass', () => {
  test('reverse mode puts the key in, and takes every echo of it out', async () => {
    const answer = await client.ask('/s/api/v1/x?q=1');
    expect(answer.status).toBe(200);
    expect(upstream.seen.at(-1)?.url).toBe('/v1/x?q=1');
    expect(upstream.seen.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(JSON.stringify(upstream.seen.at(-1)?.headers)).not.toContain(client.passport);
    expect(upstream.seen.at(-1)?.headers.dpop).toBeUndefined();
    expect(answer.text).not.toContain(SECRET);
    expect(JSON.stringify(answer.headers)).not.toContain(SECRET);
    // The answer does not wait for the record of its own end.
    await vi.waitFor(async () => {
      const done = (await gate.eventsOf('call.completed')).at(0);
      expect(done?.status).toBe(200);
      expect(done?.scrubbed).toBeGreaterThan(1);
    });
  });

  test('the forward proxy takes an absolute http URL', async () => {
    const answer = await client.forward(`http://plain.example:${plain.port}/a?b=c`);
    expect(answer.status).toBe(200);
    expect(plain.seen.at(-1)?.headers.authorization).toBe(`Bearer ${SECRET}`);
    expect(plain.seen.at(-1)?.headers['proxy-authorization']).toBeUndefined();
    expect(plain.seen.at(-1)?.headers['sallyport-dpop']).toBeUndefined();
    expect(answer.text).not.toContain(SECRET);
  });

  test('a tunnel carries several requests, under a certificate that the session’s authority signed', async () => {
    const issued = await client.ask('/v1/ca', { method: 'POST' });
    expect(issued.status).toBe(200);
    expect(issued.json.hosts).toEqual(['api.example']);
    const authority = `api.example:${upstream.port}`;
    const { head, socket } = await client.connect(authority);
    expect(head).toContain(' 200 ');
    const inside = await GateClient.startTls(socket, 'api.example', String(issued.json.certificate));
    for (const path of ['/one', '/two']) {
      const answer = await GateClient.askInside(inside, path, authority, {
        headers: { connection: 'keep-alive' },
      });
      expect(answer.status).toBe(200);
      expect(upstream.seen.at(-1)?.url).toBe(path);
      expect(answer.text).not.toContain(SECRET);
    }
    inside.destroy();
  });

  test('a body streams up, and its digest stands in the record', async () => {
    const answer = await client.ask('/s/api/upload', { method: 'POST', body: chunksOf(8, 'payload ') });
    expect(answer.status).toBe(200);
    expect(upstream.seen.at(-1)?.body).toBe('payload '.repeat(8));
    await vi.waitFor(async () => {
      const done = (await gate.eventsOf('call.completed')).find(({ requestBytes }) => requestBytes === 64);
      expect(done?.requestDigest).toMatch(/^[\w-]{43}$/);
    });
  });

  test('a redirect is handed on, never followed', async () => {
    const answer = await client.ask('/s/api/redirect');
    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe('http://169.254.169.254/latest/meta-data/');
  });

  test('a tool call is decided, and what the tool answered is taken in', async () => {
    const call = {
      sessionId: 's',
      phase: 'call',
      callId: 'c',
      tool: 'shell',
      args: { command: 'ls' },
      text: '',
    };
    const json = { 'content-type': 'application/json' };
    const denied = await client.ask('/v1/decide', {
      method: 'POST',
      headers: json,
      body: JSON.stringify(call),
    });
    expect(denied.status).toBe(200);
    expect(denied.json).toMatchObject({ decision: 'deny' });
    const result = { ...call, phase: 'result', text: 'total 0' };
    const seen = await client.ask('/v1/observe', {
      method: 'POST',
      headers: json,
      body: JSON.stringify(result),
    });
    expect(seen.status).toBe(200);
    expect((await gate.eventsOf('observe.recorded')).length).toBeGreaterThan(0);
  });
});

describe('calls that are refused', () => {
  const refusals: readonly [
    name: string,
    ask: () => Promise<{ status: number; json: Record<string, unknown> }>,
    code: string,
    status: number,
  ][] = [
    ['a service that nobody registered', () => client.ask('/s/nowhere/x'), 'service_unknown', 404],
    ['a path with an encoded slash', () => client.ask('/s/api/a%2fb'), 'path_not_canonical', 400],
    ['what a policy forbids', () => client.ask('/s/api/forbidden/x'), 'policy_denied', 403],
    [
      'a private address that no administrator allowed',
      () => client.ask('/s/private/x'),
      'destination_private',
      403,
    ],
    ['an endpoint that is not there', () => client.ask('/elsewhere'), 'not_found', 404],
    [
      'a decision about nothing',
      () => client.ask('/v1/decide', { method: 'POST', body: '{}' }),
      'input_invalid',
      400,
    ],
    [
      'an instruction from an agent',
      () =>
        client.ask('/v1/observe', {
          method: 'POST',
          body: JSON.stringify({ sessionId: 's', phase: 'instruction', callId: 'c', text: 'obey' }),
        }),
      'scope_insufficient',
      403,
    ],
  ];
  test.each(refusals)('%s', async (_name, ask, code, status) => {
    const before = upstream.seen.length;
    const answer = await ask();
    expect(answer.json.code).toBe(code);
    expect(answer.status).toBe(status);
    expect(answer.json.type).toBe(`urn:sallyport:refusal:${code}`);
    expect(typeof answer.json.callId).toBe('string');
    expect(upstream.seen.length).toBe(before);
  });

  test('no passport gets a challenge that says where to get one', async () => {
    const answer = await fetch(`${gate.gateway.publicUrl}/s/api/x`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*algs="ES256.*resource_metadata="http/);
    expect(await answer.json()).toMatchObject({ code: 'passport_missing' });
  });

  test('a proof for another path, and a proof used twice', async () => {
    const url = `${gate.gateway.publicUrl}/s/api/x`;
    const proof = await client.proof('GET', `${gate.gateway.publicUrl}/s/api/other`);
    const headers = { authorization: `DPoP ${client.passport}`, dpop: proof };
    expect(await (await fetch(url, { headers })).json()).toMatchObject({ code: 'proof_invalid' });
    const good = { ...headers, dpop: await client.proof('GET', url) };
    expect((await fetch(url, { headers: good })).status).toBe(200);
    expect(await (await fetch(url, { headers: good })).json()).toMatchObject({ code: 'proof_replayed' });
  });

  test('a passport without a scope for the service', async () => {
    const other = await GateClient.of(await gate.newAgent(['plain:read']), gate.gateway.port);
    expect((await other.ask('/s/api/x')).json.code).toMatch(/scope_insufficient|policy_denied/);
  });

  test('a tunnel to an unknown place is refused before TLS', async () => {
    const { head, socket } = await client.connect('unknown.example:443');
    expect(head).toMatch(/^HTTP\/1\.1 404 /);
    expect(head).toContain('service_unknown');
    socket.destroy();
  });

  test('a decoy in a streamed body ends the upstream’s request before the chunk with it', async () => {
    const decoy = await gate.detector.decoys.plant(
      { tenant: 'default', kind: 'credential', name: 'old-key', severity: 'critical' },
      'admin',
    );
    // An agent of its own: what it does here stays with its session.
    const leaky = await GateClient.of(await gate.newAgent(['api:write']), gate.gateway.port);
    const before = upstream.seen.length;
    const answer = await leaky
      .ask('/s/api/upload', { method: 'POST', body: chunksOf(3, 'harmless ', decoy.value) })
      .catch(() => null);
    if (answer !== null) expect(answer.json.code).toBe('decoy_used');
    await pause(50);
    expect(upstream.seen.length).toBe(before);
    expect((await gate.eventsOf('alert.raised')).length).toBeGreaterThan(0);
  });
});

describe('a person in the line', () => {
  test('a held call passes once after it is approved, and only the same call', async () => {
    const held = await client.ask('/s/api/things/1', { method: 'DELETE' });
    expect(held.json.code).toBe('approval_required');
    const id = String(held.json.approvalId);
    expect(held.json.approvalUrl).toBe(`${gate.bench.issuer}/approvals/${id}`);
    const waiting = client.ask(`/v1/approvals/${id}?wait=10`);
    await gate.approvals.decide({ tenant: 'default', id, status: 'approved', by: 'alice', reason: null });
    expect((await waiting).json.status).toBe('approved');
    const other = await client.ask('/s/api/things/2', { method: 'DELETE' });
    expect(other.json.code).toBe('approval_required');
    expect((await client.ask('/s/api/things/1', { method: 'DELETE' })).status).toBe(200);
    expect((await client.ask('/s/api/things/1', { method: 'DELETE' })).json.code).toBe('approval_required');
  });

  test('another session learns nothing of an approval', async () => {
    const held = await client.ask('/s/api/things/3', { method: 'DELETE' });
    const other = await GateClient.of(await gate.newAgent(['api:read']), gate.gateway.port);
    expect((await other.ask(`/v1/approvals/${held.json.approvalId}`)).status).toBe(404);
  });
});

describe('rights that end', () => {
  test('a revocation cuts the streams of the passport and refuses its next call', async () => {
    const one = await gate.newAgent(['api:read']);
    const doomed = await GateClient.of(one, gate.gateway.port);
    const stream = await doomed.open('/s/api/stream');
    expect(stream.statusCode).toBe(200);
    const ended = read(stream).then(
      () => 'complete',
      () => 'cut',
    );
    await gate.bench.room.revocations.revoke({
      tenant: 'default',
      kind: 'agent',
      value: one.id,
      by: 'admin',
      reason: null,
    });
    expect(await ended).toBe('cut');
    expect((await doomed.ask('/s/api/x')).json.code).toMatch(/passport_revoked|agent_quarantined/);
    await vi.waitFor(async () => {
      expect((await gate.eventsOf('call.failed')).map(({ code }) => code)).toContain('call_cut');
    });
  });

  test('a revoked credential cuts its streams and opens no more calls', async () => {
    const stream = await client.open('/s/plain/stream');
    const ended = read(stream).then(
      () => 'complete',
      () => 'cut',
    );
    await gate.vault.revoke({ tenant: 'default', name: 'plain-key' }, 'admin');
    expect(await ended).toBe('cut');
    expect((await client.ask('/s/plain/x')).json.code).toBe('credential_revoked');
  });
});

describe('size', () => {
  const MIB = 1024 * 1024;
  const bytes = Number(process.env.SALLYPORT_TEST_BODY_MIB ?? 48) * MIB;

  test('a large answer passes whole, in memory that does not grow with it', async () => {
    const stream = await client.open(`/s/api/large/${bytes}`);
    let got = 0;
    let peak = 0;
    for await (const chunk of stream) {
      got += (chunk as Buffer).length;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
    expect(got).toBe(bytes);
    expect(peak).toBeLessThan(256 * MIB);
  });

  test('a large upload passes whole', async () => {
    const chunk = 'x'.repeat(64 * 1024);
    const answer = await client.ask('/s/api/upload', {
      method: 'PUT',
      body: chunksOf(bytes / chunk.length, chunk),
    });
    expect(answer.json.bytes).toBe(bytes);
  });
});

async function* chunksOf(count: number, ...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  const [text = '', last] = texts;
  for (let sent = 0; sent < count; sent++) yield Buffer.from(text);
  if (last !== undefined) {
    await pause(20);
    yield Buffer.from(last);
  }
}
