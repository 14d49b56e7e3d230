import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AskingAgent, decide, newPerson, type TestPerson } from '../../support/consent.ts';
import { type Bench, GATE, newKey, openBench } from './support.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

let bench: Bench;
let person: TestPerson;
let agent: AskingAgent;

beforeAll(async () => {
  bench = await openBench();
  person = await newPerson(bench);
});
beforeEach(async () => {
  bench.clock.aheadMs = 0;
  agent = await AskingAgent.register(bench, { publicClient: true, device: true, redirectUris: [] });
});
afterAll(() => bench?.close());

async function begin(form: Record<string, string> = {}, by = agent) {
  const { status, body } = await by.send('/device_authorization', form, { dpop: null });
  expect([status, body]).toEqual([200, expect.objectContaining({ device_code: expect.any(String) })]);
  return {
    device: String(body.device_code),
    user: String(body.user_code),
    complete: String(body.verification_uri_complete),
    body,
  };
}

const poll = (device: string, by = agent, o = {}) =>
  by.send('/token', { grant_type: GRANT, device_code: device }, o);

const errorOf = async (answer: Promise<{ body: Record<string, unknown> }>) => (await answer).body.error;

/** The page of consent behind a code that the person types. */
async function enter(code: string, who = person) {
  const page = await who.browser.visit('/device');
  return who.browser.submit(page, { user_code: code });
}

/** Passes the wait that is asked for between two requests, without a clock that would end proofs. */
const later = () => {
  bench.clock.aheadMs += 6_000;
};

describe('the device flow (RFC 8628)', () => {
  test('shows a code, a person types it and allows, and the device gets a passport and a refresh token', async () => {
    const { device, user, body } = await begin({ scope: 'github:read', resource: GATE });
    expect(body).toMatchObject({ verification_uri: `${bench.issuer}/device`, expires_in: 600, interval: 5 });
    expect(user).toMatch(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
    expect(await errorOf(poll(device))).toBe('authorization_pending');
    const consent = await enter(user.toLowerCase().replace('-', ' '));
    for (const word of [agent.agent.name, 'team-a', 'github: read', GATE, 'By the code that you typed']) {
      expect(consent.text).toContain(word);
    }
    expect(consent.text).not.toContain('github: write');
    expect((await decide(person.browser, consent)).text).toContain('go back to your device');
    const { status, body: tokens } = await poll(device);
    expect(status).toBe(200);
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({
      sub: person.id,
      act: { sub: agent.id },
      scope: 'github:read',
      cnf: { jkt: agent.dpop.thumbprint },
    });
    expect((await agent.refresh(String(tokens.refresh_token))).status).toBe(200);
    expect(await errorOf(agent.refresh(String(tokens.refresh_token), {}, { dpop: await newKey() }))).toBe(
      'invalid_grant',
    );
  });

  test('the address with the code in it only fills it in: the person still sends it', async () => {
    const { complete, device } = await begin();
    const page = await person.browser.visit(complete);
    expect(new URL(page.url).pathname).toBe('/device');
    expect(await errorOf(poll(device))).toBe('authorization_pending');
    expect((await person.browser.submit(page, {})).text).toContain('May this agent act for you?');
  });

  test('signs people in first, and brings them back with the code', async () => {
    const { complete, user } = await begin();
    const browser = await person.signIn();
    browser.cookies.delete('sallyport-session');
    const signIn = await browser.visit(complete);
    expect(new URL(signIn.url).pathname).toBe('/signin');
    const page = await browser.submit(signIn, { name: person.name, password: 'four visibly fake words' });
    expect(page.text).toContain(user.replace('-', ''));
  });

  test('a no is told to the device', async () => {
    const { device, user } = await begin();
    await decide(person.browser, await enter(user), { decision: 'deny' });
    expect(await errorOf(poll(device))).toBe('access_denied');
  });

  test('asking too often is slow_down, and makes the wait longer', async () => {
    const { device } = await begin();
    expect(await errorOf(poll(device))).toBe('authorization_pending');
    expect(await errorOf(poll(device))).toBe('slow_down');
    later();
    expect(await errorOf(poll(device))).toBe('slow_down');
    bench.clock.aheadMs += 16_000;
    expect(await errorOf(poll(device))).toBe('authorization_pending');
  });

  test('a device code is good once: of twenty at once one gets a passport, and it ends with the others’ attempt', async () => {
    const { device, user } = await begin();
    await decide(person.browser, await enter(user));
    const all = await Promise.all(Array.from({ length: 20 }, () => poll(device)));
    const got = all.filter(({ status }) => status === 200);
    expect(got).toHaveLength(1);
    expect(await agent.isLive(String(got[0]?.body.access_token))).toBe(false);
  });

  test('a user code is answered once, and of twenty answers one counts', async () => {
    const { user } = await begin();
    const pages = await Promise.all(Array.from({ length: 3 }, () => enter(user)));
    const answers = await Promise.all(pages.map((page) => decide(person.browser, page)));
    expect(answers.filter(({ text }) => text.includes('go back to your device'))).toHaveLength(1);
    expect((await enter(user)).text).toContain('No device waits with this code');
  });

  test('wrong codes are slowed down for a person, and right ones cost nothing', async () => {
    const guesser = await newPerson(bench);
    const { user } = await begin();
    expect((await enter(user, guesser)).text).toContain('May this agent act for you?');
    const answers = [];
    for (let attempt = 0; attempt < 7; attempt += 1) answers.push((await enter('BBBB-CCCC', guesser)).status);
    expect(answers.slice(0, 5)).toEqual([400, 400, 400, 400, 400]);
    expect(answers.at(-1)).toBe(429);
    expect((await enter(user, guesser)).status).toBe(429);
  });

  test('codes are over after ten minutes, for the person and for the device', async () => {
    const { device, user } = await begin();
    bench.clock.aheadMs = 601_000;
    expect((await enter(user)).text).toContain('No device waits with this code');
    const [request] = [await bench.storage.deviceRequests.countSince('default', agent.id, 0)];
    expect(request).toBe(1);
    expect((await poll(device)).status).toBe(400);
  });

  test('a device code is none for another client, with another key of a client, or without a proof', async () => {
    const other = await AskingAgent.register(bench, { publicClient: true, device: true });
    const { device, user } = await begin();
    await decide(person.browser, await enter(user));
    expect(await errorOf(poll(device, other))).toBe('invalid_grant');
    expect(await errorOf(poll(device, agent, { dpop: null }))).toBe('invalid_grant');
    expect(await errorOf(poll('x'.repeat(43)))).toBe('invalid_grant');
    expect((await poll(device)).status).toBe(200);
  });

  test('dies with the user and the agent between yes and passport', async () => {
    const other = await newPerson(bench);
    const { device, user } = await begin();
    await decide(other.browser, await enter(user, other));
    await bench.people.users.disable(other.id, 'admin');
    expect(await errorOf(poll(device))).toBe('invalid_grant');
    const second = await begin();
    await decide(person.browser, await enter(second.user));
    await bench.room.agents.quarantine(agent.id, null, 'admin');
    await bench.room.agents.release(agent.id, 'admin');
    expect(await errorOf(poll(second.device))).toBe('invalid_grant');
  });

  test.each<[string, Record<string, string>, string]>([
    ['a scope beyond', { scope: 'github:admin' }, 'invalid_scope'],
    ['a foreign resource', { resource: 'https://evil.example' }, 'invalid_target'],
    ['details that can not be read', { authorization_details: '[]' }, 'invalid_authorization_details'],
  ])('%s is refused at once', async (_what, form, error) => {
    expect(await errorOf(agent.send('/device_authorization', form, { dpop: null }))).toBe(error);
  });

  test('an agent that is not registered for it, and one that does not authenticate, are refused', async () => {
    const without = await AskingAgent.register(bench, { publicClient: true });
    expect(await errorOf(without.send('/device_authorization', {}, { dpop: null }))).toBe(
      'unauthorized_client',
    );
    const confidential = await AskingAgent.register(bench, { device: true });
    const bare = new AskingAgent(bench, confidential.agent, null, confidential.dpop);
    expect(await errorOf(bare.send('/device_authorization', {}, { dpop: null }))).toBe('invalid_client');
    await begin({}, confidential);
  });

  test('codes are kept as keyed hashes alone', async () => {
    const { device, user } = await begin();
    const raw = JSON.stringify([
      await bench.storage.deviceRequests.byUserCode('default', user.replace('-', ''), Date.now()),
      await bench.storage.deviceRequests.get('default', device),
    ]);
    expect(raw).toBe('[null,null]');
  });
});
