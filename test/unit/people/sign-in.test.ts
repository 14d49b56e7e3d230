import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestBrowser } from '../../support/browser.ts';
import { objectOf, startAdminApi } from '../admin/api-server.ts';

const PASSWORD = 'four visibly fake words';
let api: Awaited<ReturnType<typeof startAdminApi>>;

beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api?.close());

const admin = (method: string, path: string, body?: unknown) =>
  api.send(method, path, { token: api.token, ...(body === undefined ? {} : { body }) });

async function addUser(name: string) {
  const { json, status } = await admin('POST', '/users', { name, displayName: `User ${name}` });
  expect(status).toBe(201);
  return { id: String(objectOf(json?.user).id), link: String(json?.link) };
}

const newBrowser = () => new TestBrowser(api.controlUrl);

async function enrolled(name: string) {
  const user = await addUser(name);
  const browser = newBrowser();
  const form = await browser.visit(user.link);
  const account = await browser.submit(form, { password: PASSWORD, again: PASSWORD });
  expect(account.text).toContain(`User ${name}`);
  return { ...user, browser };
}

async function signIn(name: string, password: string, browser = newBrowser()) {
  const visited = await browser.submit(await browser.visit('/signin'), { name, password });
  return { ...visited, browser };
}

const isIn = async (browser: TestBrowser) =>
  (await browser.visit('/account')).text.includes('You are signed in as');

test('a user chooses a password by the link, is signed in by it, and the link is good once', async () => {
  const { link, browser } = await enrolled('ada');
  expect(await isIn(browser)).toBe(true);
  const again = await newBrowser().visit(link);
  expect(again.status).toBe(404);
  expect(await isIn((await signIn('ada', PASSWORD)).browser)).toBe(true);
  expect(JSON.stringify(await api.events('user.enrolled'))).not.toContain(PASSWORD);
});

test('of twenty who use the same link at once, one chooses the password', async () => {
  const { link } = await addUser('crowd');
  const browser = newBrowser();
  const form = await browser.visit(link);
  const all = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const password = `the fake password number ${index} of many`;
      return browser.submit(form, { password, again: password });
    }),
  );
  expect(all.filter(({ text }) => text.includes('You are signed in as'))).toHaveLength(1);
});

test('passwords that are short, plain or hold the name are not taken, and the link stays good', async () => {
  const { link } = await addUser('bertha');
  const browser = newBrowser();
  for (const password of ['short', 'aaaaaaaaaaaaaaaaaaaa', 'bertha and her horses', 'x'.repeat(300)]) {
    const answer = await browser.submit(await browser.visit(link), { password, again: password });
    expect(answer.status, password).toBe(400);
  }
  const other = await browser.submit(await browser.visit(link), {
    password: PASSWORD,
    again: `${PASSWORD}.`,
  });
  expect(other.text).toContain('not the same');
  const good = await browser.submit(await browser.visit(link), { password: PASSWORD, again: PASSWORD });
  expect(good.text).toContain('You are signed in as');
});

test('a wrong password and a name that nobody has are answered with the same words', async () => {
  await enrolled('carol');
  const wrong = await signIn('carol', 'not the password at all');
  const nobody = await signIn('nobody', PASSWORD);
  expect([wrong.status, nobody.status]).toEqual([401, 401]);
  const words = (text: string) => text.replaceAll(/name="csrf" value="[^"]*"/g, '');
  expect(words(wrong.text)).toBe(words(nobody.text));
  expect(await isIn(wrong.browser)).toBe(false);
  const refused = await api.events('user.refused');
  expect(refused).toContainEqual(expect.objectContaining({ user: null, reason: 'wrong name or password' }));
});

test('guessing is slowed down for a name, also when the password is right in the end', async () => {
  await enrolled('dora');
  const answers = [];
  for (let attempt = 0; attempt < 6; attempt += 1)
    answers.push(await signIn('dora', `wrong guess ${attempt}`));
  expect(answers.at(-1)?.status).toBe(429);
  const right = await signIn('dora', PASSWORD);
  expect(right.status).toBe(429);
  expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
});

test('the session cookie is a new one after each sign-in, and one that was planted is worth nothing', async () => {
  await enrolled('erin');
  const browser = newBrowser();
  const planted = 'p'.repeat(43);
  browser.cookies.set('sallyport-session', planted);
  await signIn('erin', PASSWORD, browser);
  const first = browser.cookies.get('sallyport-session');
  expect(first).not.toBe(planted);
  await signIn('erin', PASSWORD, browser);
  const second = browser.cookies.get('sallyport-session');
  expect(second).not.toBe(first);
  const old = newBrowser();
  old.cookies.set('sallyport-session', String(first));
  expect(await isIn(old)).toBe(false);
  expect(await isIn(browser)).toBe(true);
});

test('cookies are out of reach of scripts and other sites, and pages can not be framed', async () => {
  const answer = await newBrowser().visit('/signin');
  for (const cookie of answer.headers.getSetCookie()) {
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax$/);
  }
  const csp = answer.headers.get('content-security-policy') ?? '';
  expect(csp).toContain("default-src 'none'");
  expect(csp).toContain("frame-ancestors 'none'");
  expect(csp).toContain("base-uri 'none'");
  expect(csp).not.toContain('unsafe-inline');
  expect(answer.headers.get('x-frame-options')).toBe('DENY');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.text).not.toMatch(/<script(?! type="module" src="\/people\/)|\sstyle=|\son\w+=/);
});

test('a form without its token, with that of another browser, or from another site changes nothing', async () => {
  await enrolled('frank');
  const browser = newBrowser();
  const form = await browser.visit('/signin');
  const others = (await newBrowser().visit('/signin')).forms[0]?.fields.find(([name]) => name === 'csrf');
  const values = { name: 'frank', password: PASSWORD };
  const attempts = [
    browser.submit(form, { ...values, csrf: '' }),
    browser.submit(form, { ...values, csrf: others?.[1] ?? '' }),
    browser.submit(form, values, { headers: { origin: 'https://evil.example' } }),
    browser.submit(form, values, { headers: { 'sec-fetch-site': 'cross-site' } }),
  ];
  for (const { status } of await Promise.all(attempts)) expect(status).toBe(403);
  expect(await isIn(browser)).toBe(false);
});

test('a sign-in leads to pages of ours alone', async () => {
  await enrolled('grace');
  for (const to of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/account/../x',
    'javascript:1',
  ]) {
    const browser = newBrowser();
    const form = await browser.visit(`/signin?continue=${encodeURIComponent(to)}`);
    const answer = await browser.submit(form, { name: 'grace', password: PASSWORD, continue: to });
    expect(answer.leftTo, to).toBeNull();
    expect(new URL(answer.url).pathname === '/account', to).toBe(true);
  }
});

test('who was disabled is out at once and can not come back until enabled', async () => {
  const { id, browser } = await enrolled('heidi');
  expect((await admin('POST', `/users/${id}/disable`, {})).status).toBe(200);
  expect(await isIn(browser)).toBe(false);
  expect((await signIn('heidi', PASSWORD)).status).toBe(401);
  expect((await admin('POST', `/users/${id}/enable`, {})).status).toBe(200);
  expect(await isIn(browser)).toBe(false);
  expect(await isIn((await signIn('heidi', PASSWORD)).browser)).toBe(true);
});

test('a reset takes password and sign-ins away, and its link is the one that counts', async () => {
  const { id, browser } = await enrolled('ivan');
  const first = await admin('POST', `/users/${id}/reset`, {});
  const second = await admin('POST', `/users/${id}/reset`, {});
  expect(await isIn(browser)).toBe(false);
  expect((await signIn('ivan', PASSWORD)).status).toBe(401);
  expect((await newBrowser().visit(String(first.json?.link))).status).toBe(404);
  expect((await newBrowser().visit(String(second.json?.link))).status).toBe(200);
});

test('signing out ends the session itself, not the cookie alone', async () => {
  const { browser } = await enrolled('judy');
  const stolen = newBrowser();
  for (const [name, value] of browser.cookies) stolen.cookies.set(name, value);
  expect(await isIn(stolen)).toBe(true);
  await browser.submit(await browser.visit('/account'), {});
  expect(await isIn(stolen)).toBe(false);
});

test('a removed user is gone, and the name is free again', async () => {
  const { id } = await enrolled('kim');
  expect((await admin('POST', '/users', { name: 'kim', displayName: 'Another' })).status).toBe(409);
  expect((await admin('DELETE', `/users/${id}`)).status).toBe(204);
  expect((await admin('GET', `/users/${id}`)).status).toBe(404);
  expect((await signIn('kim', PASSWORD)).status).toBe(401);
  expect((await admin('POST', '/users', { name: 'kim', displayName: 'Another' })).status).toBe(201);
});

test('names that mislead are not taken', async () => {
  for (const displayName of ['', ' ', 'a\u202Eb', 'line\nbreak', 'x'.repeat(101)]) {
    expect((await admin('POST', '/users', { name: 'mallory', displayName })).status).toBe(400);
  }
  for (const name of ['Mallory', 'mal lory', '', '-x', '<b>']) {
    expect((await admin('POST', '/users', { name, displayName: 'M' })).status).toBe(400);
  }
});
