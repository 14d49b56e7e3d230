import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop } from '../../support/acting-agent.ts';
import { TestBrowser, type Visited } from '../../support/browser.ts';
import {
  closeAll,
  freePort,
  type Person,
  startOpenidProvider,
  type TestProvider,
} from '../../support/openid-provider.ts';
import { isIn, peopleOf } from '../../support/people.ts';
import { listOf, startAdminApi } from '../admin/api-server.ts';

/** A real OpenID provider (oidc-provider) as "corp", and one that lies on demand as "liar". */

const SECRET = `fake-${'s'.repeat(40)}`;

const PEOPLE = new Map<string, Person>([
  ['linked', { email: 'linked@corp.example', email_verified: true, hd: 'corp.example' }],
  ['new', { email: 'New@corp.example', email_verified: true, hd: 'corp.example', name: 'Newcomer' }],
  ['unverified', { email: 'boss@corp.example', email_verified: false, hd: 'corp.example' }],
  ['outside', { email: 'out@other.example', email_verified: true, hd: 'other.example' }],
  ['taken', { email: 'ada@corp.example', email_verified: true, hd: 'corp.example' }],
]);

let folder: string;
let corp: TestProvider;
let liar: Awaited<ReturnType<typeof startLiar>>;
let api: Awaited<ReturnType<typeof startAdminApi>>;
let people: ReturnType<typeof peopleOf>;
let shop: Awaited<ReturnType<typeof openShop>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-upstream-'));
  const file = join(folder, 'secret');
  await writeFile(file, SECRET);
  await chmod(file, 0o600);
  const controlPort = await freePort();
  const origin = `http://localhost:${controlPort}`;
  corp = await startOpenidProvider({
    callback: `${origin}/upstream/corp/callback`,
    secret: SECRET,
    people: PEOPLE,
  });
  liar = await startLiar();
  const keyFile = join(folder, 'key.pem');
  await writeFile(keyFile, liar.clientKeyPem, { mode: 0o600 });
  const shared = { clientId: 'gate', allowPrivate: true };
  const claims = { hd: { eq: 'corp.example' } };
  api = await startAdminApi(
    {
      SALLYPORT_PEOPLE_PROVIDERS: JSON.stringify([
        {
          name: 'corp',
          label: 'Corp',
          issuer: corp.issuer,
          ...shared,
          clientSecretFile: file,
          claims,
          createUsers: true,
        },
        {
          name: 'liar',
          label: 'Liar',
          issuer: liar.issuer,
          ...shared,
          clientKeyFile: keyFile,
          clientKeyId: 'gate-1',
        },
      ]),
    },
    { byName: true, port: controlPort },
  );
  people = peopleOf(api);
  shop = await openShop(api);
});
afterAll(async () => {
  shop?.close();
  await api?.close();
  corp?.close();
  liar?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Answers as an OpenID provider does, but for what `twist` changes. */
async function startLiar() {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const wrong = await generateKeyPair('RS256', { extractable: true });
  const twist: {
    claims?: Record<string, unknown>;
    badKey?: boolean;
    metadata?: Record<string, unknown>;
    redirectToken?: boolean;
  } = {};
  const seen = { nonce: '', token: new URLSearchParams() };
  const client = await generateKeyPair('ES256', { extractable: true });
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const server = createServer(async (request, response) => {
    const send = (body: unknown) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    };
    switch (request.url) {
      case '/.well-known/openid-configuration':
        return send({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          authorization_response_iss_parameter_supported: true,
          id_token_signing_alg_values_supported: ['RS256'],
          ...twist.metadata,
        });
      case '/jwks':
        return send({ keys: [{ ...(await exportJWK(publicKey)), kid: 'liar', alg: 'RS256', use: 'sig' }] });
      case '/token': {
        if (twist.redirectToken === true) {
          return void response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end();
        }
        let form = '';
        for await (const chunk of request) form += chunk;
        seen.token = new URLSearchParams(form);
        const now = Math.floor(Date.now() / 1000);
        const claims = {
          iss: issuer,
          aud: 'gate',
          sub: 'somebody',
          nonce: seen.nonce,
          iat: now,
          exp: now + 60,
        };
        const token = await new SignJWT({ ...claims, ...twist.claims })
          .setProtectedHeader({ alg: 'RS256', kid: 'liar' })
          .sign(twist.badKey === true ? wrong.privateKey : privateKey);
        return send({ access_token: 'visibly-fake', token_type: 'Bearer', id_token: token });
      }
      default:
        return void response.writeHead(404).end();
    }
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const clientKeyPem = await exportPKCS8(client.privateKey);
  return { issuer, twist, seen, clientKeyPem, clientKey: client.publicKey, close: () => closeAll(server) };
}

/** Presses the button of a provider; where the browser is sent to. */
async function begin(browser: TestBrowser, name: string, path = '/signin'): Promise<URL> {
  const page = await browser.visit(path);
  const form = page.forms.findIndex(({ action }) => action === `/upstream/${name}`);
  const { leftTo } = await browser.submit(page, {}, { form });
  if (leftTo === null) throw new Error('the browser was sent nowhere');
  return new URL(leftTo);
}

/** Follows the provider's pages until it sends the browser back; the address that it is sent to. */
async function through(at: URL, elsewhere = new TestBrowser(corp.issuer)): Promise<string> {
  const { leftTo } = await elsewhere.visit(at.href);
  if (leftTo === null) throw new Error('the provider sends the browser nowhere');
  return leftTo;
}

async function signIn(person: string, browser = people.newBrowser(), path = '/signin'): Promise<Visited> {
  corp.state.person = person;
  return browser.visit(await through(await begin(browser, 'corp', path)));
}

/** The liar's answer to a browser of its own. */
async function lied(
  twist: typeof liar.twist,
  parameters: Record<string, string> = {},
  path = '/signin',
): Promise<Visited> {
  Object.assign(liar.twist, { claims: {}, badKey: false, metadata: {}, redirectToken: false }, twist);
  const browser = people.newBrowser();
  const at = await begin(browser, 'liar', path);
  liar.seen.nonce = at.searchParams.get('nonce') ?? '';
  const query = { code: 'c', state: at.searchParams.get('state') ?? '', iss: liar.issuer, ...parameters };
  return browser.visit(`/upstream/liar/callback?${new URLSearchParams(query)}`);
}

const lastRefusal = async () => (await api.events('user.refused')).at(-1)?.reason;

test('who an administrator linked signs in, with PKCE, nonce and a state of the browser’s own', async () => {
  const added = await people.admin('POST', '/users', {
    name: 'linked',
    displayName: 'Linked',
    upstream: { provider: 'corp', subject: 'linked' },
  });
  expect(added.json?.user).toMatchObject({ identities: [{ provider: 'corp', subject: 'linked' }] });
  const at = await begin(people.newBrowser(), 'corp');
  expect(Object.fromEntries(at.searchParams)).toMatchObject({
    response_type: 'code',
    client_id: 'gate',
    code_challenge_method: 'S256',
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    state: expect.any(String),
  });
  const browser = people.newBrowser();
  expect((await signIn('linked', browser)).text).toContain('You are signed in as');
  expect(await isIn(browser)).toBe(true);
});

test('whom the rule lets in becomes a user at the first sign-in, and is the same one at the second', async () => {
  const first = await signIn('new');
  expect(first.text).toContain('Newcomer');
  expect(first.text).toContain('new@corp.example');
  await signIn('new');
  const { json } = await people.admin('GET', '/users?limit=100');
  expect(listOf(json, 'items').filter(({ name }) => name === 'new@corp.example')).toHaveLength(1);
});

test('an unverified address, a stranger to the rule, and a name that is taken come in by nothing', async () => {
  await people.withPassword('ada@corp.example');
  for (const [person, reason] of [
    ['unverified', 'the email is not verified'],
    ['outside', 'the conditions are not met'],
    ['taken', 'the name is taken'],
  ] as const) {
    const answer = await signIn(person);
    expect(answer.status, person).toBe(403);
    expect(await lastRefusal()).toBe(`corp: ${reason}`);
  }
});

test('somebody whom nobody knows is told the subject that an administrator needs', async () => {
  const answer = await lied({});
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('somebody');
  const { id } = await people.withPassword('lena');
  await people.admin('POST', `/users/${id}/link`, { provider: 'liar', subject: 'somebody' });
  expect((await lied({})).text).toContain('You are signed in as');
  await people.admin('POST', `/users/${id}/disable`, {});
  expect((await lied({})).status).toBe(403);
  await people.admin('POST', `/users/${id}/enable`, {});
  await people.admin('POST', `/users/${id}/unlink`, { provider: 'liar', subject: 'somebody' });
  expect((await lied({})).status).toBe(403);
});

test('the gate shows its own key to a provider that wants one, and never more than the code’s verifier', async () => {
  await lied({});
  const assertion = liar.seen.token.get('client_assertion') ?? '';
  const { payload, protectedHeader } = await jwtVerify(assertion, liar.clientKey);
  expect(protectedHeader).toMatchObject({ alg: 'ES256', kid: 'gate-1' });
  expect(payload).toMatchObject({ iss: 'gate', sub: 'gate' });
  expect(liar.seen.token.get('code_verifier')).toMatch(/^[\w-]{43}$/);
  expect(liar.seen.token.has('client_secret')).toBe(false);
});

test.each<[string, Parameters<typeof lied>[0], Record<string, string>?]>([
  ['the nonce of another sign-in', { claims: { nonce: 'n'.repeat(43) } }],
  ['no nonce', { claims: { nonce: undefined } }],
  ['another issuer in the token', { claims: { iss: 'https://evil.example' } }],
  ['another audience', { claims: { aud: 'another-client' } }],
  ['a token that is over', { claims: { exp: 1 } }],
  ['a token that another key signed', { badKey: true }],
  ['another issuer in the answer (mix-up)', {}, { iss: 'https://evil.example' }],
  ['no issuer in the answer, where it promises one', {}, { iss: '' }],
  ['a token endpoint that leads elsewhere', { redirectToken: true }],
  ['an error', {}, { error: 'access_denied' }],
])('an answer with %s signs nobody in', async (_, twist, parameters) => {
  const answer = await lied(twist, parameters);
  expect(answer.status).toBe(403);
  expect(answer.text).not.toContain('You are signed in as');
});

test('an answer is good once, in the browser that asked, and at the provider that was asked', async () => {
  corp.state.person = 'linked';
  const browser = people.newBrowser();
  const back = await through(await begin(browser, 'corp'));
  const thief = people.newBrowser();
  await thief.visit('/signin');
  expect((await thief.visit(back)).status).toBe(403);
  const swapped = back.replace('/upstream/corp/', '/upstream/liar/');
  expect((await browser.visit(swapped)).status).toBe(403);
  expect(await lastRefusal()).toBe('liar: another provider was asked');
  expect((await browser.visit(back)).text).toContain('You are signed in as');
  expect((await browser.visit(back)).status).toBe(403);
  expect(await lastRefusal()).toBe('corp: the state was used before');
});

test('a state that somebody made up or changed is worth nothing', async () => {
  const browser = people.newBrowser();
  const state = (await begin(browser, 'corp')).searchParams.get('state') ?? '';
  for (const forged of ['', 'x', `${state}A`, `A${state}`, state.replace('.', '..')]) {
    const query = new URLSearchParams({ code: 'c', state: forged, iss: corp.issuer });
    expect((await browser.visit(`/upstream/corp/callback?${query}`)).status).toBe(403);
  }
});

test('“sign in again” has the provider ask again', async () => {
  const elsewhere = new TestBrowser(corp.issuer);
  const browser = people.newBrowser();
  const go = async (path: string) =>
    browser.visit(await through(await begin(browser, 'corp', path), elsewhere));
  await go('/signin');
  const before = corp.state.asked;
  await go('/signin');
  // It remembers its own session.
  expect(corp.state.asked).toBe(before);
  expect((await browser.visit('/account/sign-in')).url).toContain('/signin?again=1');
  const ways = await go('/signin?again=1&continue=/account/sign-in');
  expect(corp.state.asked).toBe(before + 1);
  expect(ways.text).toContain('How you sign in');
});

test('a provider that was to ask again, and did not, is not believed', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const auth_time of [undefined, now - 3600]) {
    const answer = await lied({ claims: { auth_time } }, {}, '/signin?again=1');
    expect(answer.status).toBe(403);
    expect(await lastRefusal()).toBe('liar: it did not ask the person again');
  }
  await lied({ claims: { auth_time: now } }, {}, '/signin?again=1');
  expect(await lastRefusal()).toBe('liar: the subject is unknown');
});

test('an approval is the user’s who comes by a provider, and wants that it asked them again', async () => {
  const browser = people.newBrowser();
  const elsewhere = new TestBrowser(corp.issuer);
  const go = async (path: string) =>
    browser.visit(await through(await begin(browser, 'corp', path), elsewhere));
  corp.state.person = 'new';
  await go('/signin');
  const agent = await shop.newAgent('agent-of-new');
  const question = await agent.ask('new@corp.example');
  const { json } = await people.admin('GET', '/approvals?status=pending&limit=200');
  const path = `/approvals/${listOf(json, 'items').at(-1)?.id}`;
  const before = await browser.visit(path);
  expect(before.text).toContain('Sign in again to approve');
  const bare = await browser.submit(before, { decision: 'approve' });
  expect(bare.status).toBe(409);
  const page = await go(`/signin?again=1&continue=${encodeURIComponent(path)}`);
  expect((await agent.redeem(question)).body.error).toBe('authorization_pending');
  expect((await browser.submit(page, {})).text).toContain('Approved by new@corp.example');
  const confirmed = await api.events('user.confirmed');
  expect(confirmed.at(-1)).toMatchObject({ changes: { method: 'upstream-again' } });
});

test('where somebody can come by a provider, the password is not the last way', async () => {
  const browser = people.newBrowser();
  const elsewhere = new TestBrowser(corp.issuer);
  corp.state.person = 'new';
  const path = '/signin?again=1&continue=/account/sign-in';
  const page = await browser.visit(await through(await begin(browser, 'corp', path), elsewhere));
  const password = 'six visibly fake words in here';
  const form = ({ forms }: Visited, what: string) =>
    forms.findIndex(({ fields }) => fields.some(([name, value]) => name === 'do' && value === what));
  const values = { password, again: password };
  const chosen = await browser.submit(page, values, { form: form(page, 'change-password') });
  expect(chosen.text).toContain('<li>Corp</li>');
  const removed = await browser.submit(chosen, {}, { form: form(chosen, 'remove-password') });
  expect(removed.text).toContain('Choose a password');
});

test('nobody is linked to a provider that there is not, nor to a subject of somebody else', async () => {
  const { id } = await people.withPassword('olaf');
  const link = (provider: string, subject: string) =>
    people.admin('POST', `/users/${id}/link`, { provider, subject });
  expect((await link('nobody', 'x')).status).toBe(400);
  expect((await link('corp', 'linked')).status).toBe(409);
});
