import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/core/index.ts';
import { type EchoUpstream, openEchoUpstream } from '../support/echo-upstream.ts';
import { GateClient } from '../support/gate-client.ts';
import { openRealGate, type RealGate } from '../support/real-gate.ts';
import type { TestAgent } from '../unit/passport/support.ts';

let gate: RealGate;
let upstream: EchoUpstream;
let planner: TestAgent;
let worker: TestAgent;

beforeAll(async () => {
  upstream = await openEchoUpstream();
  gate = await openRealGate();
  await gate.services.put(
    { name: 'api', origins: [`http://api.example:${upstream.port}`], credential: null, allowPrivate: true },
    'admin',
  );
});

// New ones for each test: the detector remembers who was refused often.
beforeEach(async () => {
  planner = await gate.newAgent(['api:read', 'api:write', 'tools:call']);
  worker = await gate.newAgent(['api:read', 'api:write', 'tools:call']);
});

afterAll(async () => {
  await gate?.close();
  upstream?.close();
});

const details = (...of: Record<string, JsonValue>[]) => ({
  authorization_details: JSON.stringify(of.map((detail) => ({ type: 'tool_call', ...detail }))),
});

async function clientOf(agent: TestAgent, form: Record<string, string>): Promise<GateClient> {
  return GateClient.with(agent, gate.gateway.port, await agent.passport(form));
}

/** A client of the worker with what the planner passed on. */
async function passedOn(parent: string, form: Record<string, string> = {}): Promise<GateClient> {
  const subject_proof = await planner.passOn(parent, worker.id);
  const { body } = await worker.exchange(parent, { form: { subject_proof, ...form } });
  return GateClient.with(worker, gate.gateway.port, String(body.access_token));
}

describe('a passport with authorization details', () => {
  test('is answered with what it holds, and makes the calls that one covers and no other', async () => {
    const asked = details({ service: 'api', method: 'GET', path: '/repos/*' });
    const { body } = await planner.request({ form: asked });
    expect(JSON.stringify(body.authorization_details)).toBe(asked.authorization_details);
    const client = GateClient.with(planner, gate.gateway.port, String(body.access_token));
    expect((await client.ask('/s/api/repos/acme')).status).toBe(200);
    const reached = upstream.seen.length;
    for (const [path, method] of [
      ['/s/api/users', 'GET'],
      ['/s/api/repos', 'GET'],
      ['/s/api/repos/acme', 'DELETE'],
    ] as const) {
      const refused = await client.ask(path, { method });
      expect([refused.status, refused.headers['sallyport-refusal']]).toEqual([403, 'scope_insufficient']);
    }
    expect(upstream.seen).toHaveLength(reached);
  });

  test('says in a refusal what to ask for, in the challenge and in the document', async () => {
    const client = await clientOf(planner, details({ service: 'api', path: '/a' }));
    const refused = await client.ask('/s/api/b"c', { method: 'POST' });
    const needed = [{ type: 'tool_call', service: 'api', method: 'POST', path: '/b%22c' }];
    expect(JSON.parse(refused.text).authorization_details).toEqual(needed);
    const challenge = String(refused.headers['www-authenticate']);
    expect(challenge).toContain('error="insufficient_scope"');
    const quoted = /authorization_details="((?:[^"\\]|\\.)*)"/.exec(challenge)?.[1] ?? '';
    expect(JSON.parse(quoted.replace(/\\(.)/g, '$1'))).toEqual(needed);
  });

  test('bounds query and body; a body that it looks at is read before it is decided', async () => {
    const client = await clientOf(
      planner,
      details(
        { service: 'api', method: 'GET', arguments: { 'query.page': { max: 3 } } },
        { service: 'api', method: 'POST', path: '/pay', arguments: { 'body.amount': { max: 100 } } },
      ),
    );
    expect((await client.ask('/s/api/list?page=3')).status).toBe(200);
    expect((await client.ask('/s/api/list?page=4')).status).toBe(403);
    expect((await client.ask('/s/api/list')).status).toBe(403);
    const pay = (body: string, type = 'application/json') =>
      client.ask('/s/api/pay', { method: 'POST', body, headers: { 'content-type': type } });
    expect((await pay('{"amount":100}')).status).toBe(200);
    for (const body of [
      '{"amount":101}',
      '{"amount":"100"}',
      '{}',
      '{"amount":1,"amount":999}',
      'amount=1',
      '',
    ]) {
      expect((await pay(body)).status, body).toBe(403);
    }
    expect((await pay('amount=99', 'application/x-www-form-urlencoded')).status).toBe(200);
  });

  test('holds through a tunnel as well', async () => {
    const client = await clientOf(planner, details({ service: 'api', path: '/only' }));
    const target = `http://api.example:${upstream.port}`;
    expect((await client.forward(`${target}/only`)).status).toBe(200);
    expect((await client.forward(`${target}/other`)).status).toBe(403);
  });

  test('decides tool calls by name and arguments, and says no as an answer', async () => {
    const client = await clientOf(
      planner,
      details(
        { server: 'files', tool: 'write', arguments: { path: { prefix: '/tmp/' } } },
        { tool: 'Bash', arguments: { command: { in: ['ls', 'pwd'] } } },
      ),
    );
    const decide = async (tool: string, args: JsonValue) => {
      const body = { sessionId: 's', phase: 'call', callId: 'c', tool, args };
      const answer = await client.ask('/v1/decide', { method: 'POST', body: JSON.stringify(body) });
      return JSON.parse(answer.text);
    };
    expect((await decide('mcp__files__write', { path: '/tmp/x' })).decision).toBe('allow');
    expect((await decide('Bash', { command: 'ls' })).decision).toBe('allow');
    expect(await decide('Bash', { command: 'rm -rf /' })).toMatchObject({
      decision: 'deny',
      code: 'scope_insufficient',
      authorization_details: [{ type: 'tool_call', tool: 'Bash' }],
    });
    expect((await decide('mcp__files__write', { path: '/etc/x' })).decision).toBe('deny');
    expect((await decide('mcp__files__read', { path: '/tmp/x' })).decision).toBe('deny');
  });
});

describe('max_calls', () => {
  test('of twenty calls at once against five, exactly five reach the service', async () => {
    const client = await clientOf(planner, details({ service: 'api', path: '/five', max_calls: 5 }));
    const before = upstream.seen.length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.ask('/s/api/five')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(upstream.seen.length - before).toBe(5);
    const refused = answers.find(({ status }) => status !== 200);
    expect([refused?.status, refused?.headers['sallyport-refusal']]).toEqual([403, 'scope_insufficient']);
  });

  test('of children count against every ancestor: no exchange makes more of them', async () => {
    const parent = await planner.passport(details({ service: 'api', max_calls: 4 }));
    const own = GateClient.with(planner, gate.gateway.port, parent);
    const [one, other] = [
      await passedOn(parent, details({ service: 'api', path: '/one', max_calls: 3 })),
      await passedOn(parent),
    ];
    const statuses = async (client: GateClient, path: string, times: number) => {
      const answers = await Promise.all(Array.from({ length: times }, () => client.ask(path)));
      return answers.filter(({ status }) => status === 200).length;
    };
    expect(await statuses(one, '/s/api/one', 5)).toBe(3);
    expect(await statuses(own, '/s/api/own', 3)).toBe(1);
    expect(await statuses(other, '/s/api/other', 3)).toBe(0);
    const again = await passedOn(parent, details({ service: 'api', path: '/one', max_calls: 3 }));
    expect(await statuses(again, '/s/api/one', 3)).toBe(0);
  });

  test('that are refused for another reason do not count', async () => {
    const form = details({ service: 'api', path: '/once', max_calls: 1 });
    const client = await clientOf(planner, { ...form, scope: 'api:read' });
    const denied = await client.ask('/s/api/once', { method: 'POST', body: 'x' });
    expect(denied.headers['sallyport-refusal']).toBe('scope_insufficient');
    expect((await client.ask('/s/api/once')).status).toBe(200);
    expect((await client.ask('/s/api/once')).status).toBe(403);
  });
});

test('an exchange that asks for more details than its parent has is refused', async () => {
  const parent = await planner.passport(details({ service: 'api', path: '/a/*', max_calls: 10 }));
  const ask = async (detail: Record<string, JsonValue>) => {
    const subject_proof = await planner.passOn(parent, worker.id);
    return (await worker.exchange(parent, { form: { subject_proof, ...details(detail) } })).body.error;
  };
  for (const detail of [
    { service: 'api', path: '/a/*', max_calls: 20 },
    { service: 'api', path: '/a/*' },
    { service: 'api', max_calls: 1 },
    { service: 'other', path: '/a/b', max_calls: 1 },
    { tool: 'Bash', max_calls: 1 },
  ]) {
    expect(await ask(detail)).toBe('invalid_authorization_details');
  }
  expect(await ask({ service: 'api', path: '/a/b', max_calls: 1 })).toBeUndefined();
});

test('what a holder passes on in his proof bounds the details as well', async () => {
  const parent = await planner.passport();
  const passed = [{ type: 'tool_call', service: 'api', path: '/given' }];
  const subject_proof = await planner.passOn(parent, worker.id, { authorization_details: passed });
  const { body } = await worker.exchange(parent, { form: { subject_proof } });
  expect(body.authorization_details).toEqual(passed);
  const client = GateClient.with(worker, gate.gateway.port, String(body.access_token));
  expect((await client.ask('/s/api/given')).status).toBe(200);
  expect((await client.ask('/s/api/other')).status).toBe(403);
  const more = await planner.passOn(parent, worker.id, { authorization_details: passed });
  const wide = details({ service: 'api' });
  const refused = await worker.exchange(parent, { form: { subject_proof: more, ...wide } });
  expect(refused.body.error).toBe('invalid_authorization_details');
});
