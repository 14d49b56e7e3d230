import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { exportJWK, generateKeyPair, type JWK, jwtVerify } from 'jose';
import { sha256, signatureVerifier } from '../../src/passport/index.ts';
import { verifyDpopProof } from '../../src/proof/index.ts';
import { makeTestAuthority, type TestAuthority } from '../support/certificates.ts';

const verifySignature = signatureVerifier(8);

/** What one request to the gateway showed. */
export interface Shown {
  readonly method: string;
  readonly target: string;
  readonly passport: string;
  readonly jti: string;
  readonly rawHeaders: readonly string[];
}

/** What tests turn while it runs. */
export interface Knobs {
  passportLifetimeSeconds: number;
  authorityLifetimeMs: number;
  /** Nonces that proofs must carry; null: none. */
  issuerNonce: string | null;
  gatewayNonce: string | null;
  /** OAuth error that the token endpoint answers with. */
  issuerError: string | null;
  tokenType: string;
  /** Hosts of the certificate authority; none: it is refused, as the gate does it. */
  hosts: string[];
  /** Under which the gateway is known; null: its own address. */
  publicUrl: string | null;
  /** Status with which every call is refused. */
  refuse: number | null;
  /** Body of each answer inside tunnels and to absolute targets. */
  serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes a tunnel over, raw; null: TLS is intercepted and `serve` answers. */
  raw: ((socket: Duplex) => void) | null;
}

export interface FakeGate {
  readonly issuerUrl: string;
  readonly gatewayUrl: string;
  readonly agent: { readonly clientId: string; readonly privateJwk: JWK };
  readonly knobs: Knobs;
  readonly shown: Shown[];
  readonly tokenRequests: URLSearchParams[];
  readonly certificates: string[];
  readonly openSockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/**
 * An issuer and a gateway that speak the real wire and check what they are shown (assertion, proofs, digest of
 * the passport, once each), but decide nothing: the relay's tests need to break them on purpose.
 */
export async function startFakeGate(): Promise<FakeGate> {
  const keys = await generateKeyPair('ES256', { extractable: true });
  const agent = {
    clientId: 'agent_fake',
    privateJwk: { ...(await exportJWK(keys.privateKey)), kid: 'k1', alg: 'ES256' },
  };
  const knobs: Knobs = {
    passportLifetimeSeconds: 300,
    authorityLifetimeMs: 3_600_000,
    issuerNonce: null,
    gatewayNonce: null,
    issuerError: null,
    tokenType: 'DPoP',
    hosts: ['api.test'],
    publicUrl: null,
    refuse: null,
    serve: echo,
    raw: null,
  };
  const shown: Shown[] = [];
  const tokenRequests: URLSearchParams[] = [];
  const certificates: string[] = [];
  const bound = new Map<string, { readonly jkt: string; readonly expiresAt: number }>();
  const usedProofs = new Set<string>();
  const openSockets = new Set<Socket>();
  let authority: TestAuthority = await makeTestAuthority('Fake gate');

  const checkProof = async (proof: string, expected: { htm: string; htu: string; token: string | null }) => {
    const verified = await verifyDpopProof(
      proof,
      {
        htm: expected.htm,
        htu: expected.htu,
        accessToken: expected.token,
        now: Date.now(),
        maxAgeSeconds: 60,
        maxAheadSeconds: 5,
        checkNonce: null,
      },
      { verifySignature, sha256: (bytes) => Promise.resolve(sha256(bytes)) },
    );
    if (usedProofs.has(verified.jti)) throw new Error('the proof was used before');
    usedProofs.add(verified.jti);
    return verified;
  };
  const nonceOf = (proof: string) =>
    JSON.parse(Buffer.from(proof.split('.')[1] ?? '', 'base64url').toString()).nonce ?? null;

  const issuer = http.createServer(async (request, response) => {
    const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(body));
    };
    if (request.url === '/.well-known/oauth-authorization-server') {
      return answer(200, { issuer: issuerUrl, token_endpoint: `${issuerUrl}/token` });
    }
    const form = new URLSearchParams(await text(request));
    tokenRequests.push(form);
    if (knobs.issuerError !== null) return answer(400, { error: knobs.issuerError });
    const proof = String(request.headers.dpop);
    if (knobs.issuerNonce !== null && nonceOf(proof) !== knobs.issuerNonce) {
      return answer(400, { error: 'use_dpop_nonce' }, { 'dpop-nonce': knobs.issuerNonce });
    }
    const { jkt } = await checkProof(proof, { htm: 'POST', htu: `${issuerUrl}/token`, token: null });
    await jwtVerify(form.get('client_assertion') ?? '', keys.publicKey, {
      issuer: agent.clientId,
      subject: agent.clientId,
      audience: issuerUrl,
      requiredClaims: ['jti', 'exp'],
    });
    const token = `fake-passport-${bound.size + 1}`;
    bound.set(token, { jkt, expiresAt: Date.now() + knobs.passportLifetimeSeconds * 1000 });
    answer(200, {
      access_token: token,
      token_type: knobs.tokenType,
      expires_in: knobs.passportLifetimeSeconds,
    });
  });

  /** Null when the request may pass; else status and further fields. */
  const check = async (
    request: IncomingMessage,
    htu: string,
    fields: { readonly passport: string; readonly proof: string },
  ): Promise<{ status: number; headers: Record<string, string>; why: string } | null> => {
    try {
      const token = String(request.headers[fields.passport]).replace(/^DPoP /, '');
      const proof = String(request.headers[fields.proof]);
      if (knobs.gatewayNonce !== null && nonceOf(proof) !== knobs.gatewayNonce) {
        const status = fields.passport === 'authorization' ? 401 : 407;
        return { status, headers: { 'dpop-nonce': knobs.gatewayNonce }, why: 'proof_nonce' };
      }
      const method = request.method ?? '';
      const verified = await checkProof(proof, { htm: method, htu, token });
      const passport = bound.get(token);
      if (passport?.jkt !== verified.jkt) throw new Error('the passport is bound to another key');
      if (passport.expiresAt <= Date.now()) throw new Error('the passport has expired');
      shown.push({
        method,
        target: request.url ?? '',
        passport: token,
        jti: verified.jti,
        rawHeaders: request.rawHeaders,
      });
      return knobs.refuse === null ? null : { status: knobs.refuse, headers: {}, why: 'policy_denied' };
    } catch (cause) {
      return { status: 407, headers: {}, why: String(cause) };
    }
  };
  const problem = (why: string) => JSON.stringify({ title: 'Refused', status: 403, code: why });
  const proxyFields = { passport: 'proxy-authorization', proof: 'sallyport-dpop' };
  const ownFields = { passport: 'authorization', proof: 'dpop' };

  const inner = http.createServer((request, response) => knobs.serve(request, response));
  const gateway = http.createServer(async (request, response) => {
    const target = request.url ?? '';
    const absolute = target.startsWith('http://');
    const htu = `${absolute ? '' : (knobs.publicUrl ?? gatewayUrl)}${target.replace(/\?.*/, '')}`;
    const no = await check(request, htu, absolute ? proxyFields : ownFields);
    if (no !== null) {
      response.writeHead(no.status, { 'content-type': 'application/problem+json', ...no.headers });
      return response.end(problem(no.why));
    }
    if (target !== '/v1/ca') return knobs.serve(request, response);
    if (knobs.hosts.length === 0) {
      return response.writeHead(403, { 'sallyport-refusal': 'scope_insufficient' }).end('{}');
    }
    authority = await makeTestAuthority('Fake gate');
    certificates.push(authority.certificatePem);
    const expiresAt = Date.now() + knobs.authorityLifetimeMs;
    response.end(JSON.stringify({ certificate: authority.certificatePem, hosts: knobs.hosts, expiresAt }));
  });
  gateway.on('connect', async (request, socket, head) => {
    socket.on('error', () => {});
    const authorityName = request.url ?? '';
    const no = await check(request, authorityName, proxyFields);
    if (no !== null) {
      const body = problem(no.why);
      const fields = Object.entries({
        ...no.headers,
        'content-type': 'application/problem+json',
        'content-length': String(body.length),
      });
      socket.write(`HTTP/1.1 ${no.status} Refused\r\n`);
      socket.write(`${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
      return;
    }
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    if (knobs.raw !== null) return knobs.raw(socket);
    const [first]: Buffer[] = await once(socket, 'data').catch(() => []);
    if (first === undefined) return socket.destroy();
    socket.pause();
    socket.unshift(first);
    // Node's fetch asks for a tunnel to http:// origins too: no TLS record stands at its beginning then.
    if (first[0] !== 22) {
      const [outside, inside] = duplexPair();
      socket.pipe(outside).pipe(socket);
      return inner.emit('connection', inside);
    }
    const certificate = await authority.issue(authorityName.replace(/:\d+$/, ''));
    const secure = new tls.TLSSocket(socket as Socket, { isServer: true, ...certificate });
    secure.on('error', () => {});
    inner.emit('connection', secure);
  });
  gateway.on('connection', (socket) => {
    openSockets.add(socket);
    socket.once('close', () => openSockets.delete(socket));
  });

  const issuerUrl = await listen(issuer);
  const gatewayUrl = await listen(gateway);
  return {
    issuerUrl,
    gatewayUrl,
    agent,
    knobs,
    shown,
    tokenRequests,
    certificates,
    openSockets,
    async close() {
      for (const socket of openSockets) socket.destroy();
      issuer.closeAllConnections();
      await Promise.all([issuer, gateway].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

/** Says what arrived: request line, fields and body. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write(`${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n`);
  request.pipe(response);
}

async function listen(server: http.Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
