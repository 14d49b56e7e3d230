import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Idempotency } from '../../../src/admin/api/idempotency.ts';
import { ROUTES } from '../../../src/admin/api/routes/index.ts';
import type { IdempotencyRecord, IdempotencyStore } from '../../../src/admin/index.ts';
import { SecretBytes } from '../../../src/core/index.ts';
import { listOf, type Sent, startAdminApi } from './api-server.ts';

let api: Awaited<ReturnType<typeof startAdminApi>>;
beforeAll(async () => {
  api = await startAdminApi();
});
afterAll(() => api.close());

function send(key: string | string[], method: string, path: string, body?: unknown, o: Sent = {}) {
  return api.send(method, path, { token: api.token, headers: { 'idempotency-key': key }, body, ...o });
}

const agent = (name: string) => ({ name, owner: 'team', scopes: [], withSecret: true });

describe('Idempotency-Key', () => {
  it('gives the same answer to the same request, secret included, and does the work once', async () => {
    const key = randomUUID();
    const first = await send(key, 'POST', '/agents', agent('one'));
    const again = await send(`"${key}"`, 'POST', '/agents', agent('one'));
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.json).toEqual(first.json);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(await api.events('agent.registered')).toHaveLength(1);
    const secret = String(first.json?.secret);
    expect(secret).toMatch(/^spcs_/);
    for (const file of await readdir(join(api.home, 'data'))) {
      if (!file.startsWith('sallyport.db')) continue;
      expect((await readFile(join(api.home, 'data', file))).includes(secret), file).toBe(false);
    }
  });

  it('refuses another request under the same key with 422, and changes nothing', async () => {
    const key = randomUUID();
    await send(key, 'POST', '/agents', agent('two'));
    for (const [method, path, body] of [
      ['POST', '/agents', agent('three')],
      ['PATCH', '/agents/two', { purpose: 'x' }],
      ['DELETE', '/agents/two', undefined],
    ] as const) {
      const other = await send(key, method, path, body);
      expect([other.status, other.json?.code]).toEqual([422, 'idempotency_mismatch']);
    }
    expect((await api.send('GET', '/agents/three', { token: api.token })).status).toBe(404);
    expect((await api.send('GET', '/agents/two', { token: api.token })).status).toBe(200);
  });

  it('of twelve at once one does the work; the others wait or get its answer', async () => {
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => send(key, 'POST', '/tokens', { name: 'parallel', role: 'auditor' })),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made.length).toBeGreaterThanOrEqual(1);
    expect(new Set(made.map(({ json }) => json?.token)).size).toBe(1);
    for (const { status, json, headers } of answers.filter((one) => one.status !== 201)) {
      expect([status, json?.code, headers['retry-after']]).toEqual([409, 'idempotency_in_flight', '1']);
    }
    const created = await api.events('admin_token.created');
    expect(created.filter(({ changes }) => JSON.stringify(changes).includes('parallel'))).toHaveLength(1);
  });

  it('leaves the key of a refused request free, and belongs to one administrator', async () => {
    const key = randomUUID();
    expect((await send(key, 'POST', '/agents', { name: 'NO' })).status).toBe(400);
    expect((await send(key, 'DELETE', '/agents/nobody')).status).toBe(404);
    const body = { name: 'of-the-first', role: 'admin' };
    const made = await send(key, 'POST', '/tokens', body);
    expect(made.status).toBe(201);
    const other = await send(key, 'POST', '/tokens', body, { token: String(made.json?.token) });
    expect([other.status, other.json?.code]).toEqual([409, 'conflict']);
  });

  it('is refused when it is doubled, empty or not printable, and means nothing for reading', async () => {
    for (const key of [['a', 'b'], '', 'with space', 'x'.repeat(256), 'é']) {
      expect((await send(key, 'DELETE', '/agents/nobody')).json?.code).toBe('input_invalid');
    }
    const read = () => send('reading', 'GET', '/agents');
    expect((await read()).headers['idempotency-replayed']).toBeUndefined();
    expect((await read()).headers['idempotency-replayed']).toBeUndefined();
  });

  it('answers 204 again with 204', async () => {
    await api.send('POST', '/agents', { token: api.token, body: agent('short') });
    const key = randomUUID();
    expect((await send(key, 'DELETE', '/agents/short')).status).toBe(204);
    const again = await send(key, 'DELETE', '/agents/short');
    expect([again.status, again.text, again.headers['idempotency-replayed']]).toEqual([204, '', 'true']);
  });

  it('says that it does not know what a request did whose process died', async () => {
    let kept: IdempotencyRecord | null = null;
    const store: IdempotencyStore = {
      begin: async (record) => {
        const known = kept;
        kept ??= record;
        return known;
      },
      finish: async () => undefined,
      release: async () => {
        kept = null;
      },
      deleteExpired: async () => 0,
    };
    let now = 1_000_000;
    const idempotency = new Idempotency({
      store,
      sealer: { seal: (_, bytes) => bytes, open: (_, blob) => new SecretBytes(Buffer.from(blob)) },
      pepper: Buffer.alloc(32, 7),
      clock: { now: () => now },
    });
    const admin = { tenant: 'default', tokenId: 'token_1' } as Parameters<Idempotency['once']>[0]['admin'];
    const request = { admin, key: 'k', method: 'post', target: '/x', body: {} };
    const dies = () => Promise.reject(new Error('the process ends here'));
    await expect(idempotency.once(request, dies)).rejects.toThrow('ends here');
    await expect(idempotency.once(request, async () => 1)).rejects.toMatchObject({
      code: 'idempotency_in_flight',
    });
    now += 3 * 60_000;
    await expect(idempotency.once(request, async () => 1)).rejects.toMatchObject({
      code: 'idempotency_interrupted',
    });
  });
});

describe('lists', () => {
  it('all take limit and cursor, and answer with next', () => {
    const lists = ROUTES.filter(({ method, path, result }) => {
      const shape = result !== null && 'shape' in result ? (result.shape as object) : {};
      return method === 'get' && path !== '/audit/records' && 'items' in shape;
    });
    expect(lists.length).toBeGreaterThanOrEqual(11);
    for (const { path, query } of lists) {
      expect(query?.safeParse({ limit: '2', cursor: 'x' }).success, path).toBe(true);
      expect(query?.safeParse({ after: 'x' }).success, path).toBe(false);
    }
  });

  it('go on where they were, whatever is added or removed meanwhile, by the Link field', async () => {
    const put = (name: string) =>
      api.send('PUT', `/services/${name}`, {
        token: api.token,
        body: { origins: [`https://${name}.example.com`] },
      });
    for (const name of ['b', 'c', 'd', 'e']) await put(name);
    const first = await api.send('GET', '/services?limit=2', { token: api.token });
    await put('a');
    await api.send('DELETE', '/services/c', { token: api.token });
    await put('d2');
    const link = /^<\/admin\/v1(.*)>; rel="next"$/.exec(String(first.headers.link))?.[1];
    const second = await api.send('GET', String(link), { token: api.token });
    const names = [first, second].flatMap(({ json }) => listOf(json, 'items').map(({ name }) => name));
    expect(names).toEqual(['b', 'c', 'd', 'd2']);
    expect(String(first.json?.next)).not.toContain('"c"');
  });

  it('refuse a cursor of another list, and one that was made up', async () => {
    const { json } = await api.send('GET', '/services?limit=1', { token: api.token });
    for (const cursor of [
      String(json?.next),
      'AAAA',
      'e30',
      '!!',
      Buffer.from('["agents",7]').toString('base64url'),
    ]) {
      const answer = await api.send('GET', `/agents?cursor=${cursor}`, { token: api.token });
      expect([answer.status, answer.json?.code], cursor).toEqual([400, 'input_invalid']);
    }
  });
});
