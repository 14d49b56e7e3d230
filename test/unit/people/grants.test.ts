import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../../support/browser.ts';
import { backWith, decide } from '../../support/consent.ts';
import { listOf, objectOf, startAdminApi } from '../admin/api-server.ts';

/** What people let agents do, as administrators see and end it. */

const PASSWORD = 'four visibly fake words';
const REDIRECT = 'https://portal.example/callback';
let api: Awaited<ReturnType<typeof startAdminApi>>;
let browser: TestBrowser;
let userId: string;
let agentId: string;

beforeAll(async () => {
  api = await startAdminApi();
  const user = await admin('POST', '/users', { name: 'ada', displayName: 'Ada' });
  userId = String(objectOf(user.json?.user).id);
  browser = new TestBrowser(api.controlUrl);
  await browser.submit(await browser.visit(String(user.json?.link)), { password: PASSWORD, again: PASSWORD });
  const agent = await admin('POST', '/agents', {
    name: 'portal',
    owner: 'team-a',
    scopes: ['github:read'],
    redirectUris: [REDIRECT],
    publicClient: true,
  });
  expect(agent.status).toBe(201);
  agentId = String(objectOf(agent.json?.agent).id);
});
afterAll(() => api?.close());

const admin = (method: string, path: string, body?: unknown) =>
  api.send(method, path, { token: api.token, ...(body === undefined ? {} : { body }) });

const authorize = () =>
  `/authorize?${new URLSearchParams({
    response_type: 'code',
    client_id: agentId,
    redirect_uri: REDIRECT,
    code_challenge: createHash('sha256').update(randomBytes(8)).digest('base64url'),
    code_challenge_method: 'S256',
  })}`;

async function allow(): Promise<void> {
  expect(backWith(await decide(browser, await browser.visit(authorize()))).get('code')).toHaveLength(43);
}

const grants = async (query = '') => listOf((await admin('GET', `/grants${query}`)).json, 'items');

test('a grant is listed by user and agent, shown, ended with its reason, and then listed on request alone', async () => {
  await allow();
  const [grant, second] = await grants(`?user=${userId}&agent=${agentId}`);
  expect(second).toBeUndefined();
  expect(grant).toMatchObject({
    userId,
    agentId,
    origin: 'code',
    scopes: ['github:read'],
    status: 'live',
    endedAt: null,
  });
  const { id } = grant ?? {};
  expect((await admin('GET', `/grants/${id}`)).json).toEqual(grant);
  expect(await grants('?user=user_nobody')).toEqual([]);
  const ended = await admin('POST', `/grants/${id}/end`, { reason: 'laptop lost' });
  expect(ended.json).toMatchObject({ status: 'ended', endReason: 'laptop lost' });
  expect(await grants()).toEqual([]);
  expect(await grants('?live=false')).toEqual([expect.objectContaining({ id, status: 'ended' })]);
  expect((await admin('POST', `/grants/${id}/end`, {})).status).toBe(404);
  expect(await api.events('grant.ended')).toContainEqual(
    expect.objectContaining({ id, changes: expect.objectContaining({ reason: 'laptop lost' }) }),
  );
});

test('a user sees what they let an agent do, and ends it by a click; another user can not', async () => {
  await allow();
  const [grant] = await grants(`?user=${userId}`);
  const page = await browser.visit('/account');
  expect(page.text).toContain('<strong>portal</strong> may');
  const end = page.forms.findIndex(({ action }) => action === '/account/end');
  const other = await admin('POST', '/users', { name: 'eve', displayName: 'Eve' });
  const thief = new TestBrowser(api.controlUrl);
  const account = await thief.submit(await thief.visit(String(other.json?.link)), {
    password: PASSWORD,
    again: PASSWORD,
  });
  const csrf = account.forms[0]?.fields.find(([name]) => name === 'csrf')?.[1] ?? '';
  const stolen = { csrf, what: String(grant?.id) };
  expect((await thief.submit(page, stolen, { form: end })).status).toBe(404);
  expect(await grants(`?user=${userId}`)).toHaveLength(1);
  const after = await browser.submit(page, {}, { form: end });
  expect(after.text).toContain('No agent holds anything in your name now.');
  expect(await grants(`?user=${userId}`)).toEqual([]);
});

test('auditors read, approvers do not, and neither ends anything', async () => {
  await allow();
  const [grant] = await grants();
  const [auditor, approver] = [await api.tokenOf('auditor'), await api.tokenOf('approver')];
  expect((await api.send('GET', '/grants', { token: auditor })).status).toBe(200);
  expect((await api.send('GET', '/grants', { token: approver })).status).toBe(403);
  for (const token of [auditor, approver]) {
    expect((await api.send('POST', `/grants/${grant?.id}/end`, { token, body: {} })).status).toBe(403);
  }
  expect((await api.send('GET', '/grants', {})).status).toBe(401);
});

test('a reset ends what whoever had the account let agents do', async () => {
  await allow();
  expect(await grants(`?user=${userId}`)).not.toEqual([]);
  const back = await admin('POST', `/users/${userId}/reset`, {});
  expect(back.status).toBe(200);
  expect(await grants(`?user=${userId}`)).toEqual([]);
  await browser.submit(await browser.visit(String(back.json?.link)), { password: PASSWORD, again: PASSWORD });
});

test('to disable the user ends what agents hold in their name', async () => {
  await allow();
  expect((await grants()).length).toBeGreaterThan(0);
  await admin('POST', `/users/${userId}/disable`, {});
  expect(await grants()).toEqual([]);
  expect((await browser.visit(authorize())).url).toContain('/signin');
});

test('a public client takes no credential, and redirect URIs that are not safe are refused', async () => {
  const wanted = { owner: 'team-a', scopes: ['github:read'], publicClient: true };
  const bare = await admin('POST', '/agents', { ...wanted, name: 'bare' });
  expect([bare.status, bare.json?.detail]).toEqual([400, expect.stringContaining('public client')]);
  const secret = { ...wanted, name: 'both', redirectUris: [REDIRECT], withSecret: true };
  expect((await admin('POST', '/agents', secret)).status).toBe(400);
  expect((await admin('POST', `/agents/${agentId}/secret`, {})).status).toBe(409);
  const taken = await admin('PATCH', `/agents/${agentId}`, { redirectUris: [] });
  expect(taken.status).toBe(409);
  for (const uri of ['http://portal.example/', 'javascript:alert(1)', 'https://portal.example/#x']) {
    expect((await admin('PATCH', `/agents/${agentId}`, { redirectUris: [uri] })).status, uri).toBe(400);
  }
  const moved = await admin('PATCH', `/agents/${agentId}`, {
    redirectUris: ['https://portal.example/other'],
  });
  expect(moved.json).toMatchObject({ redirectUris: ['https://portal.example/other'], publicClient: true });
});
