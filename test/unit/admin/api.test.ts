import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, listOf, startAdminApi } from './api-server.ts';

let api: Awaited<ReturnType<typeof startAdminApi>>;
let admin: string;
let approver: string;
let auditor: string;

beforeAll(async () => {
  api = await startAdminApi();
  admin = api.token;
  approver = await api.tokenOf('approver');
  auditor = await api.tokenOf('auditor');
});
afterAll(() => api.close());

const SERVICE = { origins: ['https://API.example.com:443/'] };

function refused(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.json?.code }).toEqual({ status, code });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({ status, title: expect.any(String), remedy: expect.any(String) });
}

describe('who may come in', () => {
  it('refuses a request without a token, whatever it asks for', async () => {
    for (const path of ['/agents', '/no-such-thing', '/openapi.json', '/']) {
      refused(await api.send('GET', path), 401, 'admin_unauthenticated');
    }
  });

  it('refuses a token that is cut, foreign, doubled or of another scheme, all alike', async () => {
    const fields = [
      `Bearer ${admin.slice(0, -1)}`,
      `Bearer ${admin}x`,
      `Bearer sp_admin_${'A'.repeat(43)}`,
      `Basic ${Buffer.from(`admin:${admin}`).toString('base64')}`,
      `DPoP ${admin}`,
      `Bearer ${admin} ${admin}`,
      'Bearer ',
      admin,
    ];
    const answers = await Promise.all(
      fields.map((authorization) => api.send('GET', '/agents', { headers: { authorization } })),
    );
    for (const answer of answers) refused(answer, 401, 'admin_unauthenticated');
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('takes no token from the query or from a cookie', async () => {
    refused(await api.send('GET', `/agents?access_token=${admin}`), 401, 'admin_unauthenticated');
    const headers = { cookie: `token=${admin}` };
    refused(await api.send('GET', '/agents', { headers }), 401, 'admin_unauthenticated');
  });

  it('lets an auditor read and change nothing', async () => {
    expect((await api.send('GET', '/agents', { token: auditor })).status).toBe(200);
    for (const [method, path, body] of [
      ['PUT', '/services/github', SERVICE],
      ['POST', '/agents', { name: 'a', owner: 'o', scopes: [], withSecret: true }],
      ['POST', '/revocations', { kind: 'agent', value: 'x' }],
      ['POST', '/tokens', { name: 'x', role: 'admin' }],
      ['POST', '/ca/export', undefined],
      ['POST', '/approvals/a1/approve', {}],
      ['DELETE', '/agents/a1', undefined],
    ] as const) {
      refused(await api.send(method, path, { token: auditor, body }), 403, 'admin_forbidden');
    }
    expect(await api.events('agent.registered')).toEqual([]);
    expect(await api.events('service.put')).toEqual([]);
  });

  it('lets an approver decide held calls and change nothing else', async () => {
    refused(await api.send('POST', '/approvals/none/approve', { token: approver }), 404, 'not_found');
    refused(
      await api.send('PUT', '/services/github', { token: approver, body: SERVICE }),
      403,
      'admin_forbidden',
    );
    refused(await api.send('GET', '/credentials', { token: approver }), 403, 'admin_forbidden');
  });

  it('stops a token the moment it is deleted or expires', async () => {
    const made = await api.send('POST', '/tokens', { token: admin, body: { name: 'short', role: 'admin' } });
    expect(made.status).toBe(201);
    const token = String(made.json?.token);
    expect((await api.send('GET', '/tokens/self', { token })).json).toMatchObject({
      name: 'short',
      role: 'admin',
    });
    expect((await api.send('DELETE', `/tokens/${made.json?.id}`, { token: admin })).status).toBe(204);
    refused(await api.send('GET', '/tokens/self', { token }), 401, 'admin_unauthenticated');
    const past = { name: 'past', role: 'admin', expiresAt: 1 };
    refused(await api.send('POST', '/tokens', { token: admin, body: past }), 400, 'input_invalid');
  });
});

describe('what may come in', () => {
  it('names every fault of a body at once, and changes nothing', async () => {
    const body = {
      name: '../../etc',
      owner: '',
      scopes: ['no-colon', 'a:b', 'a:b'],
      surprise: 1,
      jwks: 'none',
    };
    const answer = await api.send('POST', '/agents', { token: admin, body });
    refused(answer, 400, 'input_invalid');
    const pointers = listOf(answer.json, 'errors').map(({ pointer }) => pointer);
    expect(pointers).toEqual(expect.arrayContaining(['/name', '/owner', '/scopes/0', '/jwks', '']));
    expect(answer.text).toContain('surprise');
    expect(await api.events('agent.registered')).toEqual([]);
  });

  it('refuses unknown query members, repeated ones, and bodies where none is taken', async () => {
    refused(await api.send('GET', '/agents?limti=3', { token: admin }), 400, 'input_invalid');
    refused(await api.send('GET', '/agents?limit=3&limit=4', { token: admin }), 400, 'input_invalid');
    refused(await api.send('GET', '/agents?limit=0', { token: admin }), 400, 'input_invalid');
    refused(await api.send('GET', '/agents?limit=201', { token: admin }), 400, 'input_invalid');
    refused(await api.send('GET', '/tokens/self?x=1', { token: admin }), 400, 'input_invalid');
    refused(await api.send('POST', '/keys/rotate', { token: admin, body: { x: 1 } }), 400, 'input_invalid');
  });

  it('refuses a secret given twice, given nowhere, or under an unknown injector', async () => {
    await api.send('PUT', '/services/github', { token: admin, body: SERVICE });
    const injector = { kind: 'bearer' };
    for (const body of [
      { services: ['github'], injector },
      { services: ['github'], injector, secret: 'fake-secret', secretBase64: 'AAAA' },
      { services: [], injector, secret: 'fake-secret' },
      { services: ['github'], injector: { kind: 'telepathy' }, secret: 'fake-secret' },
      { services: ['github'], injector: { kind: 'header', name: 'X: y\r\nZ' }, secret: 'fake-secret' },
    ]) {
      const answer = await api.send('PUT', '/credentials/gh', { token: admin, body });
      refused(answer, 400, 'input_invalid');
      expect(answer.text).not.toContain('fake-secret');
    }
    expect(await api.events('credential.put')).toEqual([]);
  });

  it('does not bind one secret to services that differ in what is sealed with it', async () => {
    await api.send('PUT', '/services/lan', {
      token: admin,
      body: { origins: ['http://10.0.0.1'], allowPrivate: true },
    });
    const body = { services: ['github', 'lan'], injector: { kind: 'bearer' }, secret: 'fake-secret' };
    refused(await api.send('PUT', '/credentials/gh', { token: admin, body }), 409, 'conflict');
    refused(
      await api.send('PUT', '/credentials/gh', { token: admin, body: { ...body, services: ['nowhere'] } }),
      404,
      'service_unknown',
    );
  });

  it('answers 405 with Allow for a method that a path does not take', async () => {
    const answer = await api.send('PUT', '/agents', { token: admin });
    refused(answer, 405, 'method_not_allowed');
    expect(answer.headers.allow).toBe('POST, GET');
  });
});

describe('the happy path', () => {
  it('registers, changes, quarantines, releases and removes an agent, and says who did it', async () => {
    const body = { name: 'builder', owner: 'ann@example.com', scopes: ['github:read'], withSecret: true };
    const made = await api.send('POST', '/agents', { token: admin, body });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      secret: expect.stringMatching(/^spcs_/),
      agent: { name: 'builder', status: 'active' },
    });
    expect(made.text).not.toContain('hash');
    const patched = await api.send('PATCH', '/agents/builder', {
      token: admin,
      body: { scopes: ['github:write'] },
    });
    expect(patched.json).toMatchObject({ scopes: ['github:write'], purpose: null });
    const held = await api.send('POST', '/agents/builder/quarantine', {
      token: admin,
      body: { reason: 'odd' },
    });
    expect(held.json).toMatchObject({ status: 'quarantined' });
    expect((await api.send('POST', '/agents/builder/release', { token: admin })).json).toMatchObject({
      status: 'active',
    });
    expect((await api.send('DELETE', '/agents/builder', { token: admin })).status).toBe(204);
    refused(await api.send('GET', '/agents/builder', { token: admin }), 404, 'not_found');
    const [registered] = await api.events('agent.registered');
    expect(registered?.by).toMatch(/^first-administrator \(token_[a-z0-9]+\)$/);
    expect(JSON.stringify(registered)).not.toContain(String(made.json?.secret));
  });

  it('puts a credential bound to its service, and never gives the secret back', async () => {
    const secret = 'fake-secret-42';
    const body = { services: ['github'], injector: { kind: 'header', name: 'X-Key' }, secret };
    const put = await api.send('PUT', '/credentials/gh', { token: admin, body });
    expect(put.json).toMatchObject({
      name: 'gh',
      version: 1,
      destinations: ['https://api.example.com'],
      injector: { kind: 'header', name: 'X-Key', prefix: '' },
    });
    const rotate = { secretBase64: Buffer.from('fake-secret-43').toString('base64') };
    expect(
      (await api.send('POST', '/credentials/gh/rotate', { token: admin, body: rotate })).json,
    ).toMatchObject({ version: 2 });
    expect(JSON.stringify(await api.events('credential.put'))).not.toContain('fake-secret');
    for (const path of ['/credentials', '/credentials/gh']) {
      expect((await api.send('GET', path, { token: admin })).text).not.toContain('fake-secret');
    }
  });

  it('pages through a list with next', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      const body = { origins: [`https://${name}.example.com`] };
      await api.send('PUT', `/services/${name}`, { token: admin, body });
    }
    const names: unknown[] = [];
    let path = '/services?limit=2';
    for (;;) {
      const { json } = await api.send('GET', path, { token: admin });
      names.push(...listOf(json, 'items').map(({ name }) => name));
      if (json?.next === null) break;
      path = `/services?limit=2&cursor=${json?.next}`;
    }
    expect(names).toEqual(['github', 'lan', 'p1', 'p2', 'p3']);
  });
});

describe('who follows the log', () => {
  it('is cut off when the token is deleted, and when it runs out', async () => {
    const follow = async (token: unknown) => {
      const url = `http://127.0.0.1:${api.port}/admin/v1/audit/export?follow=true`;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(200);
      // Ends with an error, so that nobody takes what came for the whole.
      return response.text();
    };
    const make = async (name: string, expiresAt: number | null) =>
      (
        await api.send('POST', '/tokens', {
          token: admin,
          body: { name, role: 'auditor', ...(expiresAt === null ? {} : { expiresAt }) },
        })
      ).json;
    const leaver = await make('leaver', null);
    const short = await make('short', Date.now() + 1_500);
    const ends = [follow(leaver?.token), follow(short?.token)].map((end) => expect(end).rejects.toThrow());
    await api.send('DELETE', `/tokens/${leaver?.id}`, { token: admin });
    await Promise.all(ends);
  });
});
