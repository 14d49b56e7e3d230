import { afterAll, beforeAll, expect, test } from 'vitest';
import { openShop } from '../../support/acting-agent.ts';
import type { TestBrowser, Visited } from '../../support/browser.ts';
import { formIn, PASSWORD, peopleOf, usePasskey } from '../../support/people.ts';
import { listOf, startAdminApi } from '../admin/api-server.ts';

let api: Awaited<ReturnType<typeof startAdminApi>>;
let people: ReturnType<typeof peopleOf>;
let shop: Awaited<ReturnType<typeof openShop>>;

beforeAll(async () => {
  api = await startAdminApi({}, { byName: true });
  people = peopleOf(api);
  shop = await openShop(api);
});
afterAll(async () => {
  shop?.close();
  await api?.close();
});

const yesForm = ({ forms }: Visited) =>
  forms.findIndex(({ fields }) => fields.some(([name]) => name === 'password'));
const noForm = ({ forms }: Visited) =>
  forms.findIndex(({ fields }) => fields.some(([name, value]) => name === 'decision' && value === 'deny'));
const approve = (browser: TestBrowser, page: Visited, password = PASSWORD) =>
  browser.submit(page, { password }, { form: yesForm(page) });

/** The approval that waits for this user. */
async function waiting(user: string): Promise<string> {
  const { json } = await people.admin('GET', '/approvals?status=pending&limit=200');
  const found = listOf(json, 'items').filter((one) => one.user === user);
  return String(found.at(-1)?.id);
}

async function statusOf(id: string): Promise<string> {
  return String((await people.admin('GET', `/approvals/${id}`)).json?.status);
}

/** A user for whom an agent acts already. */
async function acting(name: string, purpose: string | null = null) {
  const user = await people.withPassword(name);
  const agent = await shop.newAgent(`agent-of-${name}`, purpose);
  const question = await agent.ask(name);
  const id = await waiting(user.id);
  const { browser } = user;
  await approve(browser, await browser.visit(`/approvals/${id}`));
  const { body } = await agent.redeem(question);
  return { ...user, agent, passport: String(body.access_token) };
}

test('a held call leads its user to a page that shows it, and passes once after their yes', async () => {
  const { browser, agent, passport, name } = await acting('ada', 'keeps the shop tidy');
  const call = () => agent.call(passport, 'POST', '/orders?kind=new', '{"item":"lamp","count":2}');
  const held = await call();
  expect([held.status, held.json.code]).toEqual([403, 'approval_required']);
  expect((await browser.visit('/account')).text).toContain('wants to send POST to shop');
  const page = await browser.visit(String(held.json.approvalUrl));
  for (const part of [
    agent.name,
    'shop-team',
    'keeps the shop tidy',
    'A person looks at every change of the shop.',
    'shop.cedar#change',
    '/orders?kind=new',
    'content-type: application/json',
    '{&#34;item&#34;:&#34;lamp&#34;,&#34;count&#34;:2}',
  ])
    expect(page.text).toContain(part);
  const done = await approve(browser, page);
  expect(done.text).toContain(`Approved by ${name}`);
  expect((await call()).text).toBe('done POST');
  expect((await call()).json.code).toBe('approval_required');
  const confirmed = await api.events('user.confirmed');
  expect(confirmed.at(-1)).toMatchObject({
    changes: { method: 'password', approvalId: held.json.approvalId },
  });
});

test('a no takes a click, reaches the agent with its reason, and holds', async () => {
  const { browser, agent, passport } = await acting('bert');
  const call = () => agent.call(passport, 'POST', '/orders', '{}');
  const page = await browser.visit(String((await call()).json.approvalUrl));
  await browser.submit(page, { reason: 'not today' }, { form: noForm(page) });
  const refused = await call();
  expect(refused.json.code).toBe('approval_denied');
  expect(JSON.stringify(refused.json)).toContain('not today');
  // The page from before is worth nothing now.
  expect((await approve(browser, page)).status).toBe(409);
  expect((await call()).json.code).toBe('approval_denied');
});

test('a yes needs the password, and a wrong one decides nothing', async () => {
  const { browser, agent, passport, id: userId } = await acting('cleo');
  await agent.call(passport, 'POST', '/orders', '{}');
  const id = await waiting(userId);
  const page = await browser.visit(`/approvals/${id}`);
  for (const password of ['', 'not the password of hers']) {
    const answer = await approve(browser, page, password);
    expect(answer.status).toBe(409);
    expect(answer.text).toContain('Nothing was decided.');
  }
  // Nor does leaving it out.
  const bare = await browser.submit(page, { decision: 'approve' }, { form: noForm(page) });
  expect(bare.status).toBe(409);
  expect(await statusOf(id)).toBe('pending');
});

test('guessing the password on an approval is slowed down', async () => {
  const { browser, agent, passport, id: userId } = await acting('dora');
  await agent.call(passport, 'POST', '/orders', '{}');
  const id = await waiting(userId);
  const answers = [];
  for (let guess = 0; guess < 6; guess += 1) {
    answers.push(await approve(browser, await browser.visit(`/approvals/${id}`), `wrong guess ${guess}`));
  }
  expect(answers.at(-1)?.status).toBe(429);
  expect((await approve(browser, await browser.visit(`/approvals/${id}`))).status).toBe(429);
  expect(await statusOf(id)).toBe('pending');
});

test('a passkey says yes to one approval, and to no other one', async () => {
  const { browser, authenticator, name, id: userId } = await people.withPasskey('emil');
  const agent = await shop.newAgent('agent-of-emil');
  const [first, second] = [await agent.ask(name, { binding_message: 'first' }), await agent.ask(name)];
  const { json } = await people.admin('GET', '/approvals?status=pending&limit=200');
  const [one, two] = listOf(json, 'items').filter(({ user }) => user === userId);
  const pageOne = await browser.visit(`/approvals/${one?.id}`);
  const pageTwo = await browser.visit(`/approvals/${two?.id}`);
  const asked = pageOne.forms[formIn(pageOne)];
  const ticket = asked?.fields.find(([field]) => field === 'ticket')?.[1] ?? '';
  if (asked?.passkey == null) throw new Error('the page asks for no passkey');
  const credential = authenticator.get(asked.passkey);
  // The yes to the first, brought to the second.
  const moved = await browser.submit(pageTwo, { credential, ticket }, { form: formIn(pageTwo) });
  expect(moved.status).toBe(409);
  const swapped = await browser.submit(pageTwo, { credential }, { form: formIn(pageTwo) });
  expect(swapped.status).toBe(409);
  expect(await statusOf(String(two?.id))).toBe('pending');
  const done = await browser.submit(pageOne, { credential }, { form: formIn(pageOne) });
  expect(done.text).toContain('Approved by emil');
  expect((await agent.redeem(first)).status).toBe(200);
  expect((await agent.redeem(second)).body.error).toBe('authorization_pending');
});

test('the passkey of somebody else says yes to nothing', async () => {
  const { browser, name, id: userId } = await people.withPasskey('fay');
  const thief = await people.withPasskey('thief');
  const agent = await shop.newAgent('agent-of-fay');
  await agent.ask(name);
  const id = await waiting(userId);
  const answer = await usePasskey(browser, await browser.visit(`/approvals/${id}`), thief.authenticator);
  expect(answer.text).toContain('That passkey was not accepted.');
  expect(await statusOf(id)).toBe('pending');
});

test('another user sees nothing of an approval and decides nothing', async () => {
  const { agent, passport, id: userId } = await acting('gina');
  await agent.call(passport, 'POST', '/secret-orders', '{}');
  const id = await waiting(userId);
  const { browser } = await people.withPassword('hugo');
  const own = await acting('ines');
  await own.agent.call(own.passport, 'POST', '/orders', '{}');
  const foreign = await browser.visit(`/approvals/${id}`);
  expect(foreign.status).toBe(404);
  expect(foreign.text).not.toContain('secret-orders');
  const nothing = await browser.visit('/approvals/approval_none');
  expect(nothing.text.replaceAll('approval_none', id)).toBe(foreign.text);
  const stranger = await people.newBrowser().visit(`/approvals/${id}`);
  expect(stranger.text).not.toContain('secret-orders');
  expect(stranger.text).toContain('sallyport approval show');
  // A form of one's own, sent to the approval of another.
  const page = await own.browser.visit(`/approvals/${await waiting(own.id)}`);
  for (const form of [yesForm(page), noForm(page)]) {
    const moved = page.forms.map((one, index) =>
      index === form ? { ...one, action: `/approvals/${id}` } : one,
    );
    const answer = await own.browser.submit({ ...page, forms: moved }, { password: PASSWORD }, { form });
    expect(answer.status).toBe(404);
  }
  expect(await statusOf(id)).toBe('pending');
});

test('of twenty yeses at once one counts, and the log has one', async () => {
  const { browser, authenticator, name, id: userId } = await people.withPasskey('jo');
  await (await shop.newAgent('agent-of-jo')).ask(name);
  const id = await waiting(userId);
  const pages = await Promise.all(Array.from({ length: 20 }, () => browser.visit(`/approvals/${id}`)));
  const all = await Promise.all(
    pages.map((page) => usePasskey(browser, page, authenticator, { counter: 0 })),
  );
  expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
  const approved = (await api.events('approval.approved')).filter(({ approvalId }) => approvalId === id);
  expect(approved).toHaveLength(1);
});

test('a form that is sent twice counts once', async () => {
  const { browser, agent, passport, id: userId } = await acting('joel');
  await agent.call(passport, 'POST', '/orders', '{}');
  const page = await browser.visit(`/approvals/${await waiting(userId)}`);
  const all = await Promise.all(Array.from({ length: 4 }, () => approve(browser, page)));
  expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
});

test('of twenty nos at once one counts', async () => {
  const { browser, agent, passport, id: userId } = await acting('jan');
  await agent.call(passport, 'POST', '/orders', '{}');
  const id = await waiting(userId);
  const page = await browser.visit(`/approvals/${id}`);
  const all = await Promise.all(
    Array.from({ length: 20 }, () => browser.submit(page, {}, { form: noForm(page) })),
  );
  expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
});

test('where two people are needed, the user’s yes is one of them and opens nothing', async () => {
  const { browser, agent, passport } = await acting('kim');
  const call = () => agent.call(passport, 'DELETE', '/orders/7');
  const held = await call();
  const id = String(held.json.approvalId);
  const page = await browser.visit(`/approvals/${id}`);
  expect(page.text).toContain('Two people have to say yes.');
  const half = await approve(browser, page);
  expect(half.text).toContain('It waits for a second person.');
  expect(yesForm(half)).toBe(-1);
  expect((await approve(browser, page)).status).toBe(409);
  expect((await call()).json).toMatchObject({ code: 'approval_required', approversGiven: 1 });
  await people.admin('POST', `/approvals/${id}/approve`, {});
  expect((await call()).text).toBe('done DELETE');
});

test('what a user said yes to ends with their click, at once, and with all that hangs on it', async () => {
  const { browser, agent, passport } = await acting('lea');
  expect((await agent.call(passport, 'GET', '/orders')).text).toBe('done GET');
  const page = await browser.visit('/account');
  expect(page.text).toContain(agent.name);
  const end = page.forms.findIndex(({ action }) => action === '/account/end');
  const after = await browser.submit(page, {}, { form: end });
  expect(after.text).toContain('No agent holds anything in your name now.');
  expect((await agent.call(passport, 'GET', '/orders')).json.code).toBe('passport_revoked');
});

test('nobody ends what acts in another’s name', async () => {
  const { browser: own, agent, passport } = await acting('mara');
  const other = await acting('nils');
  const what = (page: Visited) =>
    page.forms.flatMap(({ fields }) => fields).find(([name]) => name === 'what')?.[1] ?? '';
  const foreign = what(await own.visit('/account'));
  const page = await other.browser.visit('/account');
  const end = page.forms.findIndex(({ action }) => action === '/account/end');
  expect((await other.browser.submit(page, { what: foreign }, { form: end })).status).toBe(404);
  expect((await agent.call(passport, 'GET', '/orders')).text).toBe('done GET');
});

test('signing out everywhere ends every browser, and the pages of them', async () => {
  const { browser, name, agent, passport, id: userId } = await acting('olga');
  const other = people.newBrowser();
  await other.submit(await other.visit('/signin'), { name, password: PASSWORD });
  await agent.call(passport, 'POST', '/orders', '{}');
  const id = await waiting(userId);
  const page = await other.visit(`/approvals/${id}`);
  const account = await browser.visit('/account');
  const everywhere = account.forms.findIndex(({ fields }) =>
    fields.some(([field]) => field === 'everywhere'),
  );
  await browser.submit(account, {}, { form: everywhere });
  expect((await other.visit('/account')).url).toContain('/signin');
  const late = await approve(other, page);
  expect(late.text).not.toContain('Approved by');
  expect(await statusOf(id)).toBe('pending');
});

test('whatever an agent says is text: no markup, no hidden direction', async () => {
  const { browser, agent, passport, name, id: userId } = await acting('pia');
  const markup = '<script>alert(1)</script><img src=x onerror=alert(1)>"\'&';
  const held = await agent.call(
    passport,
    'POST',
    `/a?q=${encodeURIComponent(markup)}`,
    `${markup}\u202Etxt.exe\u0007`,
  );
  const page = await browser.visit(String(held.json.approvalUrl));
  for (const raw of ['<script>', '<img', '\u202E', '\u0007']) expect(page.text).not.toContain(raw);
  expect(page.text).toContain('&#60;script&#62;');
  expect(page.text).toContain('‹U+202E›txt.exe‹U+0007›');
  const sly = await shop.newAgent('sly');
  await sly.ask(name, { binding_message: '<b>yes</b> & "no"' });
  const asked = await browser.visit(`/approvals/${await waiting(userId)}`);
  expect(asked.text).toContain('<q>&#60;b&#62;yes&#60;/b&#62; &#38; &#34;no&#34;</q>');
  expect((await browser.visit('/account')).text).not.toMatch(/<b>|<script>/);
});

test('the pages can not be framed, are not kept, and take no form from elsewhere', async () => {
  const { browser, agent, passport, id: userId } = await acting('quinn');
  await agent.call(passport, 'POST', '/orders', '{}');
  const id = await waiting(userId);
  const page = await browser.visit(`/approvals/${id}`);
  expect(page.headers.get('x-frame-options')).toBe('DENY');
  expect(page.headers.get('cache-control')).toBe('no-store');
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  const values = { password: PASSWORD };
  const form = yesForm(page);
  for (const attempt of [
    browser.submit(page, { ...values, csrf: 'x' }, { form }),
    browser.submit(page, values, { form, headers: { origin: 'https://evil.example' } }),
    browser.submit(page, values, { form, headers: { 'sec-fetch-site': 'cross-site' } }),
  ])
    expect((await attempt).status).toBe(403);
  expect(await statusOf(id)).toBe('pending');
});
