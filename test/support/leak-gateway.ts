import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuditLog } from '../../src/audit/index.ts';
import { type AuditEvent, SecretBytes } from '../../src/core/index.ts';
import { type GatewayOptions, openGateway, ServiceRegistry } from '../../src/gateway/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import { openVault } from '../../src/vault/index.ts';
import type { Echo } from './leak-cases.ts';
import { type Arrival, type LeakTransport, scrubberTransport } from './leak-transport.ts';

/**
 * A whole gateway over real sockets: an upstream that answers with raw bytes, vault, storage, egress and the
 * line of a call as they are. Passport, policy and detector say yes here; what they decide has its own tests.
 */
export async function openLeakGateway(): Promise<{
  readonly transport: LeakTransport;
  close(): Promise<void>;
}> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-leak-'));
  const upstream = await openUpstream();
  const storage = await openStorage({ kind: 'sqlite', file: join(home, 'gate.db'), durability: 'process' });
  const clock = { now: () => Date.now() };
  const audit = await openAuditLog({
    directory: join(home, 'audit'),
    durability: 'process',
    node: 'test',
    clock,
    checkpointKey: generateKeyPairSync('ed25519').privateKey,
  });
  const append = (event: AuditEvent) => audit.append(event);
  const vault = await openVault({
    store: storage.credentials,
    keysDirectory: join(home, 'keys'),
    seal: { kind: 'file' },
    clock,
    audit: append,
  });
  const services = await ServiceRegistry.open({ store: storage.services, clock, audit: append });
  const subject = {
    tenant: 'default',
    agentId: 'agent_test',
    owner: 'tests',
    user: null,
    sid: 'sid_test',
    chain: ['hop_test'],
  };
  const passport = { subject, jti: 'jti_test', scopes: new Set(['echo:read']), agentName: 'tests' };
  const quiet = { effect: 'allow', score: 0, findings: [], retryAfterMs: null, late: false };
  const gateway = await openGateway({
    listen: { host: '127.0.0.1', port: 0 },
    publicUrl: null,
    controlUrl: 'http://127.0.0.1:1',
    verifier: { verify: async () => passport, recheck: () => {} },
    revocations: { onRevoked: () => () => {} },
    policy: {
      generation: 1,
      decide: () => ({ effect: 'allow', policies: ['test'], reason: 'test', generation: 1 }),
      coveringDetails: () => [],
      permit: ({
        call,
        credential,
      }: {
        call: { id: string; tenant: string; origin: unknown };
        credential: unknown;
      }) => ({
        callId: call.id,
        tenant: call.tenant,
        subject,
        origin: call.origin,
        credential,
        approvalId: null,
      }),
      needsBody: () => false,
      approvalHeaders: () => [],
    },
    approvals: {},
    vault,
    detector: {
      bait: { wants: () => false, listing: async () => [] },
      inspect: async () => quiet,
      observe: async () => [],
      toolList: () => ({ push: () => undefined }),
      riskOf: () => ({ score: 0, findings: 0, lastFindingAt: null }),
      outboundScanner: () => ({ push: () => null, end: () => null }),
      inspectStray: () => [],
      recordRefusal: () => {},
    },
    audit,
    raise: () => null,
    services,
    resourceMetadata: () => ({}),
    authorityFile: join(home, 'keys', 'ca.json'),
    clock,
    requestTimeoutMs: 10_000,
    upstreamTimeoutMs: 10_000,
    inspectBodyBytes: 1024,
    detectorDeadlineMs: 100,
  } as unknown as GatewayOptions);
  const origin = { scheme: 'http', host: '127.0.0.1', port: upstream.port } as const;
  await services.put({ name: 'echo', origins: [origin], credential: 'echo', allowPrivate: true }, 'admin');
  let stored = '';
  const agent = new http.Agent({ keepAlive: true });
  return {
    transport: async (echo) => {
      const [secret = '', ...others] = echo.injected;
      // A call carries one credential. Two at once are the scrubber's own affair.
      if (others.length > 0) return scrubberTransport(echo);
      if (secret !== stored) {
        // A query carries any secret, also one with line ends.
        await vault.put(
          {
            tenant: 'default',
            name: 'echo',
            secret: SecretBytes.fromUtf8(secret),
            binding: {
              destinations: [origin],
              upstreamCa: null,
              allowPrivate: true,
              injector: { kind: 'query', name: 'key' },
            },
          },
          'admin',
        );
        stored = secret;
      }
      upstream.answerWith(echo);
      const arrival = await call(gateway.port, agent);
      if (!upstream.sawSecret(secret)) throw new Error('the secret was not injected');
      // A refusal holds no secret either, and would pass for an answer that was scrubbed.
      const refused = arrival.headers.find(([name]) => name === 'sallyport-refusal');
      if (refused !== undefined) throw new Error(`the gate answered itself: ${refused[1]}`);
      return arrival;
    },
    async close() {
      agent.destroy();
      await gateway.close({ graceMs: 0 });
      await vault.close();
      await audit.close();
      await storage.close();
      upstream.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface RawUpstream {
  readonly port: number;
  answerWith(echo: Echo): void;
  sawSecret(secret: string): boolean;
  close(): void;
}

/** Writes its answers byte by byte itself: no library's framing stands between the case and the gate. */
export async function openUpstream(): Promise<RawUpstream> {
  let next: Echo | null = null;
  let seen = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n') || next === null) return;
      seen = head;
      head = '';
      writeAnswer(socket, next).catch(() => socket.destroy());
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    answerWith: (echo) => {
      next = echo;
    },
    sawSecret: (secret) => {
      const [, query = ''] = /\?(\S*)/.exec(seen) ?? [];
      return new URLSearchParams(query).get('key') === secret;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function writeAnswer(socket: Socket, echo: Echo): Promise<void> {
  const fields = (list: Echo['headers']) => list.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const write = (text: string | Buffer) =>
    new Promise<void>((resolve) => {
      socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text, () => resolve());
    });
  if (echo.interim !== null) await write(`HTTP/1.1 103 Early Hints\r\n${fields(echo.interim)}\r\n`);
  const trailer = echo.trailers.length > 0 ? 'trailer: x-echo\r\n' : '';
  await write(
    `HTTP/1.1 ${echo.status} ${echo.reason}\r\n${fields(echo.headers)}${trailer}transfer-encoding: chunked\r\n\r\n`,
  );
  for (const chunk of echo.chunks) {
    await write(Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
    if (echo.pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, echo.pauseMs));
  }
  await write(`0\r\n${fields(echo.trailers)}\r\n`);
}

/** What an agent gets: head, interim answers, body and trailers, values as byte strings. */
function call(port: number, agent: http.Agent): Promise<Arrival> {
  return new Promise((resolve, reject) => {
    const interim: (readonly [string, string])[] = [];
    const request = http.get({
      port,
      host: '127.0.0.1',
      path: '/s/echo/answer',
      agent,
      headers: { authorization: 'Bearer fake.passport.token', 'accept-encoding': 'gzip, deflate, br, zstd' },
    });
    request.on('information', (info) => interim.push(...pairs(info.rawHeaders)));
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          reason: response.statusMessage ?? '',
          headers: pairs(response.rawHeaders),
          interim,
          trailers: pairs(response.rawTrailers),
          body: Buffer.concat(chunks),
        }),
      );
    });
  });
}

export function pairs(raw: readonly string[]): (readonly [string, string])[] {
  const list: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) list.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return list;
}
