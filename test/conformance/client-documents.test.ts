import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/index.ts';
import { documentReader } from '../../src/gateway/index.ts';
import type { AgentView } from '../../src/passport/index.ts';
import { makeTestAuthority, type TestAuthority } from '../support/certificates.ts';
import { AskingAgent, backWith, decide, newPerson, type TestPerson } from '../support/consent.ts';
import {
  ASSERTION_TYPE,
  type Bench,
  makeAssertion,
  makeProof,
  newKey,
  openBench,
  post,
  type TestKey,
} from '../unit/passport/support.ts';

/** Clients that are the document at their client_id (draft-ietf-oauth-client-id-metadata-document), over real TLS. */
const HOST = 'agents.example';
let authority: TestAuthority;
let server: Server;
let bench: Bench;
let prefix: string;
let key: TestKey;
/** What the documents' server answers, by path. */
const served = new Map<
  string,
  { status?: number; type?: string; cache?: string; location?: string; body: string }
>();
let asked: string[] = [];

beforeAll(async () => {
  authority = await makeTestAuthority();
  server = createServer(await authority.issue(HOST, 'other.example'), (request, response) => {
    asked.push(request.url ?? '');
    const found = served.get(request.url ?? '') ?? { status: 404, body: '{}' };
    response.statusCode = found.status ?? 200;
    response.setHeader('content-type', found.type ?? 'application/json');
    if (found.cache !== undefined) response.setHeader('cache-control', found.cache);
    if (found.location !== undefined) response.setHeader('location', found.location);
    response.end(found.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  prefix = `https://${HOST}:${port}/c/`;
  const closed = `https://private.example:${port}/c/`;
  const rule = { owner: 'platform-team', scopes: ['github:read'] };
  bench = await openBench({
    clientDocuments: {
      rules: [
        { ...rule, prefix, allowPrivate: true },
        { ...rule, prefix: closed, allowPrivate: false },
      ],
      fetch: documentReader({
        clock: systemClock,
        ownPorts: [1],
        resolve: async () => ['127.0.0.1'],
        ca: authority.certificatePem,
      }),
    },
  });
  key = await newKey();
});
afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await bench?.close();
});
beforeEach(() => {
  served.clear();
  asked = [];
});

let documents = 0;
/** Puts a document up and answers its address. */
function serve(
  change: Record<string, unknown> = {},
  how: Partial<Parameters<typeof served.set>[1]> = {},
): string {
  documents += 1;
  const address = `${prefix}${documents}.json`;
  const body = {
    client_id: address,
    client_name: 'Build agent',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...key.publicJwk, kid: key.thumbprint }] },
    ...change,
  };
  served.set(new URL(address).pathname, { body: JSON.stringify(body), ...how });
  return address;
}

async function ask(
  clientId: string,
  o: { by?: TestKey; form?: Record<string, string>; claims?: Record<string, unknown> } = {},
) {
  const { by = key, form = {}, claims = {} } = o;
  return post(`${bench.issuer}/token`, {
    form: {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await makeAssertion(by, { clientId, audience: bench.identifier, claims }),
      ...form,
    },
    headers: { dpop: await makeProof(await newKey(), { htm: 'POST', htu: `${bench.identifier}/token` }) },
  });
}

const agents = () => bench.room.agents.list({ after: null, limit: 200 });

/** A document of a program on people's machines. */
const ofProgram = (change: Record<string, unknown> = {}) => ({
  client_name: 'Desk <helper>',
  token_endpoint_auth_method: 'none',
  jwks: undefined,
  redirect_uris: ['http://127.0.0.1/callback', 'https://app.example/callback'],
  ...change,
});

describe('A9: a client that is known by its document and asks people', () => {
  let person: TestPerson;
  beforeAll(async () => {
    person = await newPerson(bench);
  });
  const asker = async (address: string, by: TestKey | null) => {
    const known = { id: address, redirectUris: ['https://app.example/callback'] };
    return new AskingAgent(bench, known as unknown as AgentView, by, await newKey());
  };

  test('is shown with the host that it goes back to and its own name as its own words, and gets a passport', async () => {
    const client = await asker(serve(ofProgram()), null);
    const page = await person.browser.visit(client.url());
    expect(page.text).toContain('app.example');
    expect(page.text).toContain('“Desk &#60;helper&#62;” (its own words)');
    expect(page.text).toContain(client.id);
    // Nobody comes aboard by being named, whatever is sent in their name.
    expect((await client.redeem('made-up')).body.error).toBe('invalid_grant');
    expect((await client.send('/par', client.parameters())).status).toBe(201);
    expect((await agents()).some(({ redirectUris }) => redirectUris.length > 0)).toBe(false);
    const code = String(backWith(await decide(person.browser, page)).get('code'));
    const { status, body } = await client.redeem(code);
    expect([status, body.scope]).toEqual([200, 'github:read']);
    const { act, sub } = decodeJwt(String(body.access_token));
    expect(sub).toBe(person.id);
    const id = String((act as { sub?: unknown }).sub);
    expect(await bench.room.agents.get(id)).toMatchObject({ owner: 'platform-team', publicClient: true });
    expect((await client.refresh(String(body.refresh_token))).status).toBe(200);
    await bench.room.agents.quarantine(id, null, 'admin');
    expect((await person.browser.visit(client.url())).status).toBe(400);
  });

  test('may authenticate with its key, and is then nobody without it', async () => {
    const address = serve({ redirect_uris: ['https://app.example/callback'] });
    const client = await asker(address, key);
    const code = await client.code(person);
    const bare = await asker(address, null);
    expect((await bare.redeem(code, { code_verifier: client.verifier })).body.error).toBe('invalid_client');
    expect((await client.redeem(code)).status).toBe(200);
  });

  test.each<[string, Record<string, unknown>]>([
    ['no redirect URIs', { redirect_uris: undefined }],
    ['a redirect URI that is plain http', { redirect_uris: ['http://app.example/callback'] }],
    ['a redirect URI that is a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['redirect URIs that are no list', { redirect_uris: 'https://app.example/callback' }],
    ['another client_id', { client_id: 'https://agents.example/other.json' }],
    ['a secret', { client_secret: 'not-a-real-secret' }],
    ['a secret as its way to authenticate', { token_endpoint_auth_method: 'client_secret_post' }],
  ])('is not taken with %s: told on a page, and nobody is sent anywhere', async (_what, change) => {
    const client = await asker(serve(ofProgram(change)), null);
    const page = await person.browser.visit(client.url());
    expect([page.status, page.leftTo]).toEqual([400, null]);
  });

  test('goes back to none but the redirect URIs of its document', async () => {
    const client = await asker(serve(ofProgram()), null);
    const local = await person.browser.visit(client.url({ redirect_uri: 'http://127.0.0.1:4000/callback' }));
    expect(local.status).toBe(200);
    for (const redirect_uri of ['https://evil.example/callback', 'https://app.example/callback/x']) {
      expect((await person.browser.visit(client.url({ redirect_uri }))).status).toBe(400);
    }
  });

  test('gets nothing for itself', async () => {
    const client = await asker(serve(ofProgram()), null);
    const { status, body } = await client.send('/token', { grant_type: 'client_credentials' });
    expect([status, body.error]).toEqual([401, 'invalid_client']);
  });
});

describe('a client that is the document at its client_id', () => {
  test('comes aboard with a key of its document, as an agent like any other', async () => {
    const address = serve();
    const { status, body } = await ask(address);
    expect([status, body.scope]).toEqual([200, 'github:read']);
    const { sub = '', owner } = decodeJwt(String(body.access_token));
    expect(owner).toBe('platform-team');
    expect((await bench.room.agents.get(sub))?.name).toMatch(/^agents-example-/);
    const registered = bench.eventsOf('agent.registered').filter(({ data }) => data.id === sub);
    expect(registered.map(({ data }) => data.by)).toEqual([`client document ${address}`]);
    expect(decodeJwt(String((await ask(address)).body.access_token)).sub).toBe(sub);
  });

  test('may have its keys at a jwks_uri', async () => {
    served.set('/keys', { body: JSON.stringify({ keys: [{ ...key.publicJwk, kid: key.thumbprint }] }) });
    const jwksUri = new URL('/keys', prefix).href;
    expect((await ask(serve({ jwks: undefined, jwks_uri: jwksUri }))).status).toBe(200);
  });

  test('is read once for twenty that ask at once, and again when its time is over', async () => {
    const address = serve({}, { cache: 'max-age=65' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(address)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(asked).toHaveLength(1);
    const fresh = await newKey();
    const jwks = { keys: [{ ...fresh.publicJwk, kid: fresh.thumbprint }] };
    const changed = { client_id: address, token_endpoint_auth_method: 'private_key_jwt', jwks };
    served.set(new URL(address).pathname, { body: JSON.stringify(changed) });
    const claims = { exp: Math.floor(Date.now() / 1000) + 300 };
    bench.clock.aheadMs = 66_000;
    const [old, renewed] = [await ask(address, { claims }), await ask(address, { by: fresh, claims })];
    bench.clock.aheadMs = 0;
    expect([old.body.error, renewed.status]).toEqual(['invalid_client', 200]);
    expect(asked).toHaveLength(2);
  });

  test.each([
    ['names another client_id', { client_id: 'https://agents.example/other' }, {}],
    ['holds a client secret', { client_secret: 'not-a-real-secret' }, {}],
    ['wants a shared secret', { token_endpoint_auth_method: 'client_secret_basic' }, {}],
    ['authenticates with nothing', { token_endpoint_auth_method: 'none' }, {}],
    ['has no keys', { jwks: undefined }, {}],
    ['has keys twice', { jwks_uri: 'https://agents.example/keys' }, {}],
    [
      'publishes a private key',
      { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] } },
      {},
    ],
    ['is longer than 5 KB', { client_uri: 'x'.repeat(6_000) }, {}],
    ['is a web page', {}, { type: 'text/html' }],
    ['is no JSON', {}, { body: '<html>' }],
    ['names a member twice', {}, { body: '{"client_id":"a","client_id":"b"}' }],
    ['is not there', {}, { status: 404 }],
  ])('is not let in when its document %s', async (_what, change, how) => {
    const before = (await agents()).length;
    const { status, body } = await ask(serve(change, how));
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect((await agents()).length).toBe(before);
  });

  test('is not let in by a redirect, even to a good document', async () => {
    const good = serve();
    const { status } = await ask(serve({}, { status: 302, location: good }));
    expect(status).toBe(401);
    expect(asked).toHaveLength(1);
  });

  test('is not let in by a signature of another key, and leaves no trace in the registry', async () => {
    const before = (await agents()).length;
    const stranger = await newKey();
    expect((await ask(serve(), { by: stranger })).body.error).toBe('invalid_client');
    expect((await agents()).length).toBe(before);
  });

  test.each([
    ['elsewhere', () => 'https://elsewhere.example/c/1.json'],
    ['beside the prefix', () => prefix.replace('/c/', '/d/1.json')],
    ['out of the prefix by dots', () => `${prefix}../d/1.json`],
    ['out of the prefix by encoded dots', () => `${prefix}%2e%2e/d/1.json`],
    ['with a user name', () => prefix.replace('https://', 'https://user@')],
    ['with a fragment', () => `${prefix}1.json#a`],
    ['with a query', () => `${prefix}1.json?a`],
    ['in another spelling', () => prefix.replace(HOST, HOST.toUpperCase())],
    ['without TLS', () => prefix.replace('https', 'http')],
  ])('is not even asked for at an address %s', async (_where, address) => {
    expect((await ask(address())).body.error).toBe('invalid_client');
    expect(asked).toEqual([]);
  });

  test('SSRF: a name that resolves to a private address is not asked', async () => {
    const { status, body } = await ask(`${prefix.replace(HOST, 'private.example')}1.json`);
    expect([status, body.error]).toEqual([401, 'invalid_client']);
    expect(asked).toEqual([]);
  });

  test.each(['169.254.169.254', 'metadata.google.internal', '[::ffff:169.254.169.254]'])(
    'SSRF: keys at %s are not asked for, whatever the rule allows',
    async (host) => {
      const { body } = await ask(serve({ jwks: undefined, jwks_uri: `https://${host}/keys` }));
      expect(body.error).toBe('invalid_client');
      expect(asked).toHaveLength(1);
    },
  );

  test('SSRF: a server that can not prove its name is not believed', async () => {
    const wrong = documentReader({
      clock: systemClock,
      ownPorts: [],
      resolve: async () => ['127.0.0.1'],
      ca: (await makeTestAuthority('Another')).certificatePem,
    });
    const request = { url: serve(), mostBytes: 5_000, timeoutMs: 2_000, allowPrivate: true };
    await expect(wrong(request)).rejects.toThrow();
    expect(asked).toEqual([]);
  });

  test('one that failed is not asked for again at once', async () => {
    const address = serve({}, { status: 500 });
    await ask(address);
    await ask(address);
    expect(asked).toHaveLength(1);
  });

  test('a quarantined one gets nothing, and its document is not asked for', async () => {
    const address = serve();
    const { sub = '' } = decodeJwt(String((await ask(address)).body.access_token));
    await bench.room.agents.quarantine(sub, 'test', 'admin');
    asked = [];
    expect((await ask(address)).body.error).toBe('invalid_client');
    await bench.room.agents.remove(sub, 'admin');
    expect((await ask(address)).body.error).toBe('invalid_client');
    expect(asked).toEqual([]);
  });

  test('gets no scope beyond its rule, and none back that an administrator took away', async () => {
    const address = serve();
    expect((await ask(address, { form: { scope: 'bank:transfer' } })).body.error).toBe('invalid_scope');
    const { sub = '' } = decodeJwt(String((await ask(address)).body.access_token));
    await bench.room.agents.update(sub, { scopes: ['github:list'] }, 'admin');
    expect((await ask(address)).body.scope).toBe('github:list');
  });

  test('the metadata say so, and only where an administrator named an address', async () => {
    const metadata = async (url: string) =>
      (await (await fetch(`${url}/.well-known/oauth-authorization-server`)).json()) as Record<
        string,
        unknown
      >;
    expect((await metadata(bench.issuer)).client_id_metadata_document_supported).toBe(true);
    const without = await openBench();
    expect(await metadata(without.issuer)).not.toHaveProperty('client_id_metadata_document_supported');
    await without.close();
  });
});
