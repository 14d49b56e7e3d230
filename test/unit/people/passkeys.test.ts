import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestAuthenticator, type Twist } from '../../support/authenticator.ts';
import type { TestBrowser } from '../../support/browser.ts';
import { asksIn, formIn, isIn, PASSWORD, peopleOf, usePasskey } from '../../support/people.ts';
import { startAdminApi } from '../admin/api-server.ts';

let api: Awaited<ReturnType<typeof startAdminApi>>;
let people: ReturnType<typeof peopleOf>;

beforeAll(async () => {
  api = await startAdminApi({}, { byName: true });
  people = peopleOf(api);
});
afterAll(() => api?.close());

const ways = (browser: TestBrowser) => browser.visit('/account/sign-in');

/** The form of the page that does this. */
async function change(browser: TestBrowser, what: string, values: Readonly<Record<string, string>> = {}) {
  const page = await ways(browser);
  const form = page.forms.findIndex(({ fields }) => fields.some(([n, v]) => n === 'do' && v === what));
  return browser.submit(page, values, { form });
}

async function addPasskey(browser: TestBrowser, label: string, authenticator: TestAuthenticator) {
  const page = await ways(browser);
  const credential = authenticator.create(asksIn(page));
  return browser.submit(page, { credential, label }, { form: formIn(page) });
}

test('a user comes in by the link with a passkey in place of a password, and signs in with it', async () => {
  const { authenticator, done } = await people.withPasskey('ada');
  expect(done.text).toContain('You are signed in as');
  const browser = people.newBrowser();
  const visited = await usePasskey(browser, await browser.visit('/signin?continue=/device'), authenticator);
  expect(new URL(visited.url).pathname).toBe('/device');
  expect(await isIn(browser)).toBe(true);
  const users = await people.admin('GET', '/users?limit=100');
  expect(users.json?.items).toContainEqual(
    expect.objectContaining({ name: 'ada', hasPassword: false, passkeys: 1 }),
  );
});

test('what browsers are asked demands a passkey that says who it is and checks who holds it', async () => {
  const { link } = await people.addUser('asked');
  const browser = people.newBrowser();
  expect(asksIn(await browser.visit(link))).toMatchObject({
    rp: { id: 'localhost' },
    attestation: 'none',
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  expect(asksIn(await browser.visit('/signin'))).toMatchObject({
    rpId: 'localhost',
    allowCredentials: [],
    userVerification: 'required',
  });
});

test.each<[string, Twist]>([
  ['from another origin', { origin: 'https://evil.example' }],
  ['from the same host under another port', { origin: 'http://localhost:1' }],
  ['for another relying party', { rpId: 'evil.example' }],
  ['without a check of who holds it', { userVerified: false }],
  ['of the wrong type', { type: 'webauthn.create' }],
  ['for another challenge', { challenge: 'A'.repeat(43) }],
  ['that names another user', { userHandle: Buffer.from('user_other').toString('base64url') }],
])('an answer %s signs nobody in', async (_, twist) => {
  const { authenticator } = await people.withPasskey(`no-${Math.random().toString(36).slice(2)}`);
  const browser = people.newBrowser();
  const answer = await usePasskey(browser, await browser.visit('/signin'), authenticator, twist);
  expect(answer.status).toBe(401);
  expect(answer.text).toContain('That passkey was not accepted.');
  expect(await isIn(browser)).toBe(false);
});

test.each<[string, Twist, string]>([
  ['from another origin', { origin: 'https://evil.example' }, 'none'],
  ['without a check of who holds it', { userVerified: false }, 'none'],
  ['for another challenge', { challenge: 'A'.repeat(43) }, 'none'],
  ['with certificates that nobody asked for', {}, 'packed'],
])('a new passkey %s is not taken, and the link stays good', async (_, twist, format) => {
  const { link } = await people.addUser(`new-${Math.random().toString(36).slice(2)}`);
  const browser = people.newBrowser();
  const page = await browser.visit(link);
  const credential = new TestAuthenticator(api.controlUrl).create(asksIn(page), twist, format);
  expect((await browser.submit(page, { credential }, { form: formIn(page) })).status).toBe(400);
  expect(await isIn(browser)).toBe(false);
  expect((await browser.visit(link)).status).toBe(200);
});

test('of twenty who send the same answer at once, one is signed in', async () => {
  const { authenticator } = await people.withPasskey('crowd');
  const browser = people.newBrowser();
  const page = await browser.visit('/signin');
  const credential = authenticator.get(asksIn(page));
  const all = await Promise.all(
    Array.from({ length: 20 }, () => browser.submit(page, { credential }, { form: formIn(page) })),
  );
  expect(all.filter(({ text }) => text.includes('That passkey was not accepted.'))).toHaveLength(19);
});

test('an answer is good in the browser that was asked alone, and for what it was asked', async () => {
  const { authenticator, browser: own } = await people.withPasskey('bound');
  const page = await people.newBrowser().visit('/signin');
  const thief = people.newBrowser();
  const theirs = await thief.visit('/signin');
  const ticket = (of: typeof page) =>
    of.forms[formIn(of)]?.fields.find(([name]) => name === 'ticket')?.[1] ?? '';
  const stolen = { credential: authenticator.get(asksIn(page)), ticket: ticket(page) };
  expect((await thief.submit(theirs, stolen, { form: formIn(theirs) })).status).toBe(401);
  // A question about a new passkey is none about signing in.
  const adding = await ways(own);
  const other = {
    credential: authenticator.get({ ...asksIn(adding), rpId: 'localhost' }),
    ticket: ticket(adding),
  };
  expect((await thief.submit(theirs, other, { form: formIn(theirs) })).status).toBe(401);
  const forged = { credential: authenticator.get(asksIn(theirs)), ticket: `${ticket(theirs)}A` };
  expect((await thief.submit(theirs, forged, { form: formIn(theirs) })).status).toBe(401);
  expect(await isIn(thief)).toBe(false);
});

test('a counter that went back is noticed: the copy signs nobody in, and the log says so', async () => {
  const { id, authenticator } = await people.withPasskey('copied');
  const browser = people.newBrowser();
  await usePasskey(browser, await browser.visit('/signin'), authenticator, { counter: 7 });
  expect(await isIn(browser)).toBe(true);
  for (const counter of [7, 3, 0]) {
    const other = people.newBrowser();
    const answer = await usePasskey(other, await other.visit('/signin'), authenticator, { counter });
    expect(answer.status, String(counter)).toBe(401);
  }
  expect(await api.events('user.refused')).toContainEqual(
    expect.objectContaining({ user: id, method: 'passkey', reason: expect.stringContaining('went back') }),
  );
});

test('a passkey that never counts is good again and again', async () => {
  const { authenticator } = await people.withPasskey('plain');
  for (let time = 0; time < 3; time += 1) {
    const browser = people.newBrowser();
    await usePasskey(browser, await browser.visit('/signin'), authenticator, { counter: 0 });
    expect(await isIn(browser)).toBe(true);
  }
});

test('the passkey of a disabled or removed user is worth nothing', async () => {
  const { id, authenticator } = await people.withPasskey('gone');
  const attempt = async () => {
    const browser = people.newBrowser();
    await usePasskey(browser, await browser.visit('/signin'), authenticator);
    return isIn(browser);
  };
  await people.admin('POST', `/users/${id}/disable`, {});
  expect(await attempt()).toBe(false);
  await people.admin('POST', `/users/${id}/enable`, {});
  expect(await attempt()).toBe(true);
  await people.admin('POST', `/users/${id}/reset`, {});
  expect(await attempt()).toBe(false);
});

test('a user adds, renames and removes passkeys, and has several', async () => {
  const { browser } = await people.withPassword('bea');
  const [phone, key] = [new TestAuthenticator(api.controlUrl), new TestAuthenticator(api.controlUrl)];
  await addPasskey(browser, 'Phone', phone);
  const both = await addPasskey(browser, 'Key', key);
  expect(both.text).toContain('<strong>Phone</strong>');
  expect(both.text).toContain('<strong>Key</strong>');
  const renamed = await change(browser, 'rename-passkey', { label: 'Old phone' });
  expect(renamed.text).toContain('<strong>Old phone</strong>');
  await change(browser, 'remove-passkey');
  const other = people.newBrowser();
  expect((await usePasskey(other, await other.visit('/signin'), phone)).status).toBe(401);
  await usePasskey(other, await other.visit('/signin'), key);
  expect(await isIn(other)).toBe(true);
});

test('the same passkey is taken once, and names that mislead are not taken', async () => {
  const { browser } = await people.withPassword('cora');
  const authenticator = new TestAuthenticator(api.controlUrl);
  await addPasskey(browser, 'Phone', authenticator);
  expect((await addPasskey(browser, 'Phone again', authenticator)).text).toContain('known already');
  for (const label of ['', ' ', 'a\u202Eb', 'x'.repeat(61)]) {
    const answer = await addPasskey(browser, label, new TestAuthenticator(api.controlUrl));
    expect(answer.status, JSON.stringify(label)).toBe(409);
  }
});

test('nobody changes or removes the passkey of somebody else', async () => {
  const { authenticator } = await people.withPasskey('dana');
  const { browser } = await people.withPassword('eve');
  await addPasskey(browser, 'Own', new TestAuthenticator(api.controlUrl));
  const id = authenticator.id.toString('base64url');
  expect((await change(browser, 'rename-passkey', { id, label: 'mine' })).text).toContain('no such passkey');
  expect((await change(browser, 'remove-passkey', { id })).text).toContain('no such passkey');
  const theirs = people.newBrowser();
  await usePasskey(theirs, await theirs.visit('/signin'), authenticator);
  expect(await isIn(theirs)).toBe(true);
});

test('the last way to sign in stays, also when two are removed at once', async () => {
  const { browser } = await people.withPassword('finn');
  expect((await change(browser, 'remove-password')).text).toContain('the last way');
  await addPasskey(browser, 'Phone', new TestAuthenticator(api.controlUrl));
  const page = await ways(browser);
  const forms = ['remove-password', 'remove-passkey'].map((what) =>
    page.forms.findIndex(({ fields }) => fields.some(([n, v]) => n === 'do' && v === what)),
  );
  const both = await Promise.all(forms.map((form) => browser.submit(page, {}, { form })));
  expect(both.filter(({ text }) => text.includes('the last way'))).toHaveLength(1);
});

test('a new password signs out everywhere else, and the old one is worth nothing', async () => {
  const { name, browser } = await people.withPassword('gina');
  const elsewhere = people.newBrowser();
  await elsewhere.submit(await elsewhere.visit('/signin'), { name, password: PASSWORD });
  expect(await isIn(elsewhere)).toBe(true);
  const password = 'other visibly fake words';
  await change(browser, 'change-password', { password, again: password });
  expect(await isIn(browser)).toBe(true);
  expect(await isIn(elsewhere)).toBe(false);
  expect(
    (await elsewhere.submit(await elsewhere.visit('/signin'), { name, password: PASSWORD })).status,
  ).toBe(401);
});

test('who is not signed in, or sends what no page sends, changes nothing', async () => {
  const browser = people.newBrowser();
  expect((await ways(browser)).url).toContain('/signin?continue=/account/sign-in');
  const { browser: own } = await people.withPassword('hugo');
  const page = await ways(own);
  expect((await own.submit(page, { do: 'be-administrator' })).status).toBe(409);
  expect((await own.submit(page, { csrf: 'x' })).status).toBe(403);
  expect((await own.submit(page, { do: 'add-passkey', credential: '{"id":', label: 'x' })).status).toBe(409);
});
