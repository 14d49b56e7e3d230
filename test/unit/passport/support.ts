import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Approvals } from '../../../src/approvals/index.ts';
import type { AuditEvent, Clock, JsonObject, PresentedPassport } from '../../../src/core/index.ts';
import {
  MemoryReplayStore,
  openPassportRoom,
  type PassportRoom,
  type PassportRoomOptions,
} from '../../../src/passport/index.ts';
import { openPeopleRoom, type PeopleRoom } from '../../../src/people/index.ts';
import { openStorage, type Storage, type StorageOptions } from '../../../src/storage/index.ts';

export const GATE = 'https://gate.example';
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A clock that tests can push forward. It runs: the OAuth library reads the real time. */
export class TestClock implements Clock {
  aheadMs = 0;

  now(): number {
    return Date.now() + this.aheadMs;
  }
}

export interface Bench {
  /** Where the issuer listens; also its identifier, unless another one was given. */
  readonly issuer: string;
  readonly identifier: string;
  readonly room: PassportRoom;
  /** Who may sign in; its pages and those of the first node are served beside the issuer. */
  readonly people: PeopleRoom;
  readonly storage: Storage;
  readonly keysDirectory: string;
  readonly events: AuditEvent[];
  readonly faults: unknown[];
  readonly clock: TestClock;
  /** Closes the room and opens it again over the same state, as a restart does. */
  restart(): Promise<PassportRoom>;
  /** Lets the socket lead to another node. */
  serve(node: PassportRoom): void;
  /** Another node over the same state. */
  openNode(options?: Partial<PassportRoomOptions>): Promise<PassportRoom>;
  eventsOf<T extends AuditEvent['type']>(type: T): Extract<AuditEvent, { type: T }>[];
  close(): Promise<void>;
}

/** The room over a real SQLite database and a real folder of keys, its issuer on a real socket. */
export async function openBench(
  options: Partial<PassportRoomOptions> & {
    readonly publicIssuer?: string;
    /** SQLite in a folder of its own, unless told otherwise. */
    readonly database?: StorageOptions;
  } = {},
): Promise<Bench> {
  const home = await mkdtemp(join(tmpdir(), 'sallyport-passport-'));
  const keysDirectory = join(home, 'keys');
  const file = join(home, 'gate.db');
  const events: AuditEvent[] = [];
  const faults: unknown[] = [];
  const clock = new TestClock();
  const app = express();
  const server = createServer(app);
  const origin = await listen(server);
  const { publicIssuer, database, ...given } = options;
  const storage = await openStorage(database ?? { kind: 'sqlite', file, durability: 'process' });
  const nodes: PassportRoom[] = [];
  const openNode = async (changes: Partial<PassportRoomOptions> = {}) => {
    const node = await openPassportRoom({
      issuer: publicIssuer ?? origin,
      audience: GATE,
      keysDirectory,
      stores: storage,
      unitOfWork: storage.unitOfWork,
      replay: new MemoryReplayStore(),
      clock,
      audit: async (event) => void events.push(event),
      onFault: (fault) => faults.push(fault),
      consent: {
        longestGrantSeconds: 30 * 24 * 3600,
        findUser: async (id) => {
          const user = await storage.people.user('default', id);
          return user?.status === 'active' ? { id: user.id, name: user.name } : null;
        },
      },
      ...given,
      ...changes,
    });
    nodes.push(node);
    return node;
  };
  let room = await openNode();
  let served = room;
  const people = await openPeopleRoom({
    tenant: 'default',
    origin: publicIssuer ?? origin,
    keysDirectory,
    store: storage.people,
    unitOfWork: storage.unitOfWork,
    clock,
    audit: given.audit ?? (async (event) => void events.push(event)),
    recordRefused: async (event) => void events.push(event),
    endAccess: async (value, by, reason) => {
      await served.revocations.revoke({ tenant: 'default', kind: 'user', value, by, reason });
    },
    pages: room.pages,
    // What people decide and end on pages of their own is tested with the whole service.
    once: storage.replay,
    approvals: new Approvals({
      store: storage.approvals,
      clock,
      audit: given.audit ?? (async (event) => void events.push(event)),
      lifetimeMs: 60_000,
    }),
    access: { list: async () => [], end: async () => false },
    providers: [],
    fetch: () => Promise.reject(new TypeError('there are no providers')),
    onFault: (fault) => faults.push(fault),
  });
  app.use((req, res, next) => people.pages(req, res, next));
  app.use((req, res, next) => served.issuer(req, res, next));
  return {
    issuer: origin,
    identifier: publicIssuer ?? origin,
    get room() {
      return room;
    },
    people,
    storage,
    keysDirectory,
    events,
    faults,
    clock,
    openNode,
    serve(node) {
      served = node;
    },
    async restart() {
      await room.close();
      room = await openNode();
      served = room;
      return room;
    },
    eventsOf: (type) => events.filter((event): event is never => event.type === type),
    async close() {
      await people.close();
      await Promise.all(nodes.map((node) => node.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await storage.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no port'));
      else resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}

export interface TestKey {
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly alg: string;
  readonly thumbprint: string;
}

export async function newKey(alg = 'ES256'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  return { privateKey, publicJwk, alg, thumbprint: await calculateJwkThumbprint(publicJwk) };
}

/** RSA of 1,024 bits: jose makes none so weak. */
export async function newWeakKey(): Promise<TestKey> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 1024 };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(
    { ...algorithm, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  );
  const publicJwk = await exportJWK(publicKey);
  return { privateKey, publicJwk, alg: 'RS256', thumbprint: await calculateJwkThumbprint(publicJwk) };
}

/** A JWK as the registry of agents takes it. */
export function jwkOf(key: TestKey): JsonObject {
  return JSON.parse(JSON.stringify({ ...key.publicJwk, kid: key.thumbprint }));
}

export async function makeProof(
  key: TestKey,
  o: { htm: string; htu: string; accessToken?: string; claims?: Record<string, unknown> },
): Promise<string> {
  const ath =
    o.accessToken === undefined
      ? {}
      : { ath: createHash('sha256').update(o.accessToken).digest('base64url') };
  return new SignJWT({
    jti: randomUUID(),
    htm: o.htm,
    htu: o.htu,
    iat: Math.floor(Date.now() / 1000),
    ...ath,
    ...o.claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: key.alg, jwk: key.publicJwk })
    .sign(key.privateKey);
}

export async function makeAssertion(
  key: TestKey,
  o: {
    clientId: string;
    audience: string;
    claims?: Record<string, unknown>;
    header?: Record<string, unknown>;
  },
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: o.clientId,
    sub: o.clientId,
    aud: o.audience,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
    ...o.claims,
  })
    .setProtectedHeader({ alg: key.alg, kid: key.thumbprint, ...o.header })
    .sign(key.privateKey);
}

/** An agent with one signing key and one DPoP key, and what it needs to get and show passports. */
export class TestAgent {
  readonly bench: Bench;
  readonly id: string;
  readonly key: TestKey;
  readonly dpop: TestKey;

  constructor(bench: Bench, id: string, key: TestKey, dpop: TestKey) {
    this.bench = bench;
    this.id = id;
    this.key = key;
    this.dpop = dpop;
  }

  static async register(
    bench: Bench,
    o: { name?: string; owner?: string; scopes?: string[]; purpose?: string } = {},
  ): Promise<TestAgent> {
    const [key, dpop] = [await newKey(), await newKey()];
    const { agent } = await bench.room.agents.register(
      {
        name: o.name ?? `agent-${randomUUID().slice(0, 8)}`,
        owner: o.owner ?? 'alice@example.com',
        scopes: o.scopes ?? ['github:read', 'github:write'],
        jwks: [jwkOf(key)],
        purpose: o.purpose ?? null,
      },
      'admin',
    );
    return new TestAgent(bench, agent.id, key, dpop);
  }

  /** The answer of the token endpoint. */
  async request(
    o: { form?: Record<string, string>; proof?: string | null; dpop?: TestKey; assertion?: string } = {},
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
    const { issuer, identifier } = this.bench;
    const proof =
      o.proof === undefined
        ? await makeProof(o.dpop ?? this.dpop, { htm: 'POST', htu: `${identifier}/token` })
        : o.proof;
    return post(`${issuer}/token`, {
      form: {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: o.assertion ?? (await this.assertion()),
        ...o.form,
      },
      ...(proof === null ? {} : { headers: { dpop: proof } }),
    });
  }

  assertion(claims?: Record<string, unknown>): Promise<string> {
    return makeAssertion(this.key, {
      clientId: this.id,
      audience: this.bench.identifier,
      ...(claims ? { claims } : {}),
    });
  }

  async passport(form?: Record<string, string>): Promise<string> {
    const { status, body } = await this.request(form === undefined ? {} : { form });
    if (status !== 200 || typeof body.access_token !== 'string') {
      throw new Error(`no passport: ${status} ${JSON.stringify(body)}`);
    }
    return body.access_token;
  }

  /** The passport as the gateway's ingress would hand it on, with a fresh proof. */
  async present(token: string, o: Partial<PresentedPassport> = {}): Promise<PresentedPassport> {
    const [htm, htu] = ['GET', `${GATE}/s/github/user`];
    return {
      scheme: 'DPoP',
      token,
      proofs: [await makeProof(this.dpop, { htm, htu, accessToken: token })],
      htm,
      htu,
      loopback: true,
      ...o,
    };
  }

  /** The answer of the token endpoint to a token exchange by this agent. */
  async exchange(
    subjectToken: string,
    o: { form?: Record<string, string>; dpop?: TestKey; proof?: string | null; assertion?: string } = {},
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subjectToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      ...o.form,
    };
    return this.request({ ...o, form });
  }

  /** A JWT by which the key of a passport passes it on to another agent. */
  async passOn(token: string, actor: string, claims: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT({
      aud: this.bench.identifier,
      ath: createHash('sha256').update(token).digest('base64url'),
      act: { sub: actor },
      jti: randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      ...claims,
    })
      .setProtectedHeader({ typ: 'delegation+jwt', alg: this.dpop.alg, jwk: this.dpop.publicJwk })
      .sign(this.dpop.privateKey);
  }

  /** A form to an endpoint that authenticates the client. */
  async ask(path: '/revoke' | '/introspect', form: Record<string, string>) {
    const { issuer } = this.bench;
    return post(`${issuer}${path}`, {
      form: { client_assertion_type: ASSERTION_TYPE, client_assertion: await this.assertion(), ...form },
    });
  }
}

export async function post(
  url: string,
  o: { form: Record<string, string> | URLSearchParams; headers?: Record<string, string> },
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const { headers = {} } = o;
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(o.form), headers });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text === '' ? {} : JSON.parse(text),
    headers: answer.headers,
  };
}
