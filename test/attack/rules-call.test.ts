import { readFileSync } from 'node:fs';
import { cp, rm, truncate } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { verifyAuditLog } from '../../src/audit/index.ts';
import { SecretBytes } from '../../src/core/index.ts';
import { absentGuard } from '../../src/guard/absent.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import { eventNumber, openLog, publicKey, temporaryFolder } from '../unit/audit/support.ts';
import type { TestAgent } from '../unit/passport/support.ts';

/** The rules of docs/guarantees.md about what a call may do, each tried by somebody who would break it. */

const SECRET = `fake-rule-secret-${crypto.randomUUID()}`;
const POLICY = `
@id("held")
@hold("Payments need a person.")
permit (principal, action == Action::"http.call", resource == Service::"api")
when { context.path like "/pay*" };
`;

let gate: RealGate;
let agent: TestAgent;
let client: GateClient;
let upstream: Server;
/** The connection that each request came on, and what it carried. */
const seen: { socket: Socket; url: string; authorization: string | undefined; body: string }[] = [];
let respond: (request: IncomingMessage, response: ServerResponse) => void;

beforeAll(async () => {
  upstream = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { socket, url = '', headers } = request;
      seen.push({
        socket,
        url,
        authorization: headers.authorization,
        body: Buffer.concat(chunks).toString(),
      });
      respond(request, response);
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  gate = await openRealGate({ policy: POLICY });
  const { port } = upstream.address() as AddressInfo;
  for (const [name, encodedSlash] of [
    ['api', 'refuse'],
    ['other', 'refuse'],
    ['npm', 'opaque'],
  ] as const) {
    const origins = [`http://${name}.example:${port}`];
    await gate.services.put(
      { name, origins, credential: `${name}-key`, allowPrivate: true, encodedSlash },
      'admin',
    );
    await gate.putCredential(`${name}-key`, `${SECRET}-${name}`, [name]);
  }
});
beforeEach(async () => {
  seen.length = 0;
  respond = (_request, response) => response.end('ok');
  agent = await gate.newAgent(['api:read', 'api:write', 'other:read', 'npm:read']);
  client = await GateClient.of(agent, gate.gateway.port);
});
afterAll(async () => {
  await gate?.close();
  upstream?.close();
  upstream?.closeAllConnections();
});

it('rule 5: moving a service to another place does not take its credential along', async () => {
  const { port } = upstream.address() as AddressInfo;
  const moved = { name: 'other', credential: 'other-key', allowPrivate: true } as const;
  await gate.services.put({ ...moved, origins: [`http://evil.example:${port}`] }, 'admin');
  const refused = await client.ask('/s/other/x');
  expect([refused.status, refused.json.code]).toEqual([403, 'credential_destination']);
  expect(seen).toEqual([]);
  await gate.services.put({ ...moved, origins: [`http://other.example:${port}`] }, 'admin');
  expect((await client.ask('/s/other/x')).status).toBe(200);
  // Nor does a rotation, which needs no binding, take it anywhere: the old one stays.
  await gate.vault.rotate(
    { tenant: 'default', name: 'other-key', secret: SecretBytes.fromUtf8(`${SECRET}-2`) },
    'admin',
  );
  expect((await client.ask('/s/other/x')).status).toBe(200);
  await gate.services.put({ ...moved, origins: [`http://evil.example:${port}`] }, 'admin');
  expect((await client.ask('/s/other/x')).json.code).toBe('credential_destination');
  await gate.services.put({ ...moved, origins: [`http://other.example:${port}`] }, 'admin');
});

describe('rule 6', () => {
  const ask = async (path: string) => {
    expect((await client.ask(path)).status).toBe(200);
    return seen.at(-1)?.socket;
  };

  it('rule 6: a connection is shared by calls of one service and credential, and by no others', async () => {
    const first = await ask('/s/api/1');
    expect(await ask('/s/api/2')).toBe(first);
    const other = await ask('/s/other/3');
    expect(other).not.toBe(first);
    expect(await ask('/s/api/4')).toBe(first);
  });

  it('rule 6: a rotated credential, a changed service and a revocation give up the connections from before', async () => {
    const changes = [
      () => gate.putCredential('api-key', `${SECRET}-api-2`, ['api']),
      () => gate.services.put({ name: 'more', origins: ['https://more.example'], credential: null }, 'admin'),
      async () => {
        const doomed = await gate.newAgent(['api:read']);
        const revocation = {
          tenant: 'default',
          kind: 'agent',
          value: doomed.id,
          by: 'admin',
          reason: null,
        } as const;
        await gate.bench.room.revocations.revoke(revocation);
      },
    ];
    for (const change of changes) {
      const before = await ask('/s/api/1');
      await change();
      expect(await ask('/s/api/2')).not.toBe(before);
    }
  });

  it('rule 6: one place belongs to one service', async () => {
    const { port } = upstream.address() as AddressInfo;
    const claim = { name: 'thief', origins: [`http://api.example:${port}`], credential: null };
    await expect(gate.services.put(claim, 'admin')).rejects.toMatchObject({ code: 'conflict' });
  });
});

it('rule 7: an event leaves before the next one comes, and the beginning of a secret never does', async () => {
  const gone = Promise.withResolvers<void>();
  respond = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: first\n\ndata: ${SECRET.slice(0, 20)}`);
    void gone.promise.then(() => response.end());
  };
  const stream = await client.open('/s/npm/events');
  const chunks: string[] = [];
  for await (const chunk of stream) {
    chunks.push(String(chunk));
    // The upstream ends only after the first event was read here.
    if (chunks.join('').includes('data: first\n\n')) gone.resolve();
  }
  const text = chunks.join('');
  expect(text).not.toContain(SECRET.slice(0, 20));
  expect(text).toContain('data: first');
});

it('rule 8: an approval is for one exact call of the session, whatever passport it comes with', async () => {
  const pay = (body: string, who = client, path = '/s/api/pay') => who.ask(path, { method: 'POST', body });
  const held = await pay('{"to":"anna","euro":10}');
  expect(held.json.code).toBe('approval_required');
  const id = String(held.json.approvalId);
  await gate.approvals.decide({ tenant: 'default', id, status: 'approved', by: 'alice', reason: null });
  const renewed = GateClient.with(agent, gate.gateway.port, await agent.passport());
  const stranger = await GateClient.of(await gate.newAgent(['api:write']), gate.gateway.port);
  for (const answer of [
    await pay('{"to":"anna","euro":10000}'),
    await pay('{"to":"anna","euro":10} '),
    await pay('{"to":"anna","euro":10}', client, '/s/api/pay?twice=1'),
    await pay('{"to":"anna","euro":10}', stranger),
    await client.ask('/s/api/pay', { method: 'PUT', body: '{"to":"anna","euro":10}' }),
  ]) {
    expect(answer.json.code).toBe('approval_required');
  }
  expect(seen).toEqual([]);
  const answers = await Promise.all(Array.from({ length: 5 }, () => pay('{"to":"anna","euro":10}', renewed)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(seen.map(({ body }) => body)).toEqual(['{"to":"anna","euro":10}']);
});

it('rule 10: a gate without a guard says so, and denies by its rules all the same', async () => {
  expect(absentGuard.status).toMatchObject({ kind: 'absent' });
  const metadata = {
    sessionId: 's',
    phase: 'call',
    callId: 'c',
    tool: 'Bash',
    args: { command: 'curl http://169.254.169.254/latest/meta-data/iam/security-credentials/' },
  };
  const tools = await GateClient.of(await gate.newAgent(['tools:call']), gate.gateway.port);
  const answer = await tools.ask('/v1/decide', { method: 'POST', body: JSON.stringify(metadata) });
  expect(answer.json.decision).not.toBe('allow');
});

it('rule 14: a cut tail is proved by a checkpoint from elsewhere alone, and the report says when it had none', async () => {
  const directory = join(temporaryFolder(), 'audit');
  const log = await openLog(directory);
  for (let number = 0; number < 20; number++) await log.append(eventNumber(number));
  const { note } = await log.checkpoint();
  await log.close();
  const cut = join(temporaryFolder(), 'cut');
  await cp(directory, cut, { recursive: true });
  await truncate(join(cut, 'checkpoints.jsonl'), 0);
  const lines = readFileSync(join(cut, '0000000000000001.jsonl'), 'utf8').split('\n');
  const kept = lines.slice(0, 10).join('\n').length + 1;
  await truncate(join(cut, '0000000000000001.jsonl'), kept);
  await rm(join(cut, 'lock'), { force: true });
  expect(await verifyAuditLog({ directory: cut, publicKey })).toMatchObject({
    ok: true,
    records: 10,
    hadExternalCheckpoint: false,
  });
  expect(await verifyAuditLog({ directory: cut, publicKey, checkpoint: note })).toMatchObject({
    ok: false,
    hadExternalCheckpoint: true,
  });
  expect(await verifyAuditLog({ directory, publicKey, checkpoint: note })).toMatchObject({ ok: true });
});

it('rule 16: an escaped slash is refused, or one opaque byte to policy, log and wire', async () => {
  const target = '/@scope%2fname';
  expect((await client.ask(`/s/api${target}`)).json.code).toBe('path_not_canonical');
  expect((await client.ask(`/s/npm${target}`)).status).toBe(200);
  expect(seen.map(({ url }) => url)).toEqual(['/@scope%2Fname']);
  const recorded = (await gate.eventsOf('call.permitted')).at(-1)?.call.target;
  expect(recorded).toMatch(/\/@scope%2Fname$/);
  for (const climb of ['/a%2f..%2fb', '/a/..%2fb', '/%2f..%2f..%2f']) {
    expect((await client.ask(`/s/npm${climb}`)).status, climb).not.toBe(200);
  }
});
