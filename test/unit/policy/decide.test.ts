import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Call, NO_RISK, Refusal } from '../../../src/core/index.ts';
import { bodyFacts } from '../../../src/policy/body-fields.ts';
import { decideFor } from '../../../src/policy/decide.ts';
import { explain } from '../../../src/policy/explain.ts';
import { parsePolicyFile } from '../../../src/policy/policy-file.ts';
import { PolicySet } from '../../../src/policy/policy-set.ts';
import type { PolicyActor } from '../../../src/policy/request.ts';
import { sampleSchema, toSampleRequest } from '../../../src/policy/sample-call.ts';

const now = Date.parse('2026-11-23T12:00:00Z');

function setOf(text: string): PolicySet {
  const { policies, faults } = parsePolicyFile('test.cedar', text);
  expect(faults).toEqual([]);
  return new PolicySet(policies, 7);
}

function request(overrides: { agent?: object; call?: object } = {}): { actor: PolicyActor; call: Call } {
  const sample = sampleSchema.parse({
    agent: { name: 'reviewer', owner: 'platform', scopes: ['github:read'], ...overrides.agent },
    call: { service: 'github', method: 'GET', path: '/repos', ...overrides.call },
  });
  return toSampleRequest(sample, now);
}

function effectOf(text: string, overrides: Parameters<typeof request>[0] = {}): string {
  const { actor, call } = request(overrides);
  return decideFor(setOf(text), actor, call, NO_RISK, now).effect;
}

const ALLOW = 'permit (principal, action, resource);';

describe('decide', () => {
  it('denies when no policy speaks', () => expect(effectOf('')).toBe('deny'));
  it('allows what a policy permits', () => expect(effectOf(ALLOW)).toBe('allow'));
  it('lets a forbid beat every permit', () =>
    expect(effectOf(`${ALLOW}${ALLOW} forbid (principal, action, resource == Service::"github");`)).toBe(
      'deny',
    ));
  it('holds when a permit says hold, even where another one permits', () =>
    expect(effectOf(`${ALLOW} @hold("look") permit (principal, action, resource);`)).toBe('hold'));
  it('asks for two people when one of several holds does', () => {
    const { actor, call } = request();
    const approversOf = (text: string) => decideFor(setOf(text), actor, call, NO_RISK, now).approvers;
    expect(approversOf('@hold("look") permit (principal, action, resource);')).toBe(1);
    const both =
      '@hold("a") permit (principal, action, resource); @hold("b") @approvers("2") permit (principal, action, resource);';
    expect(approversOf(both)).toBe(2);
    expect(approversOf(ALLOW)).toBeUndefined();
  });
  it.each([
    '@approvers("2") permit (principal, action, resource);',
    '@hold("x") @approvers("0") permit (principal, action, resource);',
    '@hold("x") @approvers("two") permit (principal, action, resource);',
    '@hold("x") @approvers("") permit (principal, action, resource);',
    '@approvers("2") forbid (principal, action, resource);',
  ])('refuses a file in which nobody can tell how many people are meant: %s', (text) => {
    expect(parsePolicyFile('test.cedar', text).faults).not.toEqual([]);
  });
  it('denies when a policy can not be evaluated, since that may be a forbid', () => {
    const text = `${ALLOW} forbid (principal, action == Action::"http.call", resource) when { context.port + 9223372036854775807 > 0 };`;
    expect(effectOf(text)).toBe('deny');
  });
  it('matches owners through the head of a policy', () => {
    const text = 'permit (principal in Owner::"platform", action, resource);';
    expect(effectOf(text)).toBe('allow');
    expect(effectOf(text, { agent: { owner: 'marketing' } })).toBe('deny');
  });
  it('names the policies that determined the answer, and the generation', () => {
    const { actor, call } = request();
    const decision = decideFor(setOf(`@id("all") ${ALLOW}`), actor, call, NO_RISK, now);
    expect(decision).toMatchObject({ effect: 'allow', policies: ['test.cedar#all'], generation: 7 });
  });
  it('gives body fields to a policy that looks at them', () => {
    const text = `${ALLOW} forbid (principal, action == Action::"http.call", resource) when { context.body.fields.contains("labels.0=bug") };`;
    const call = { method: 'POST', body: { labels: ['bug'] } };
    expect(effectOf(text, { call })).toBe('deny');
    expect(effectOf(text, { call: { ...call, body: { labels: ['feature'] } } })).toBe('allow');
  });
  it('decides by a slice exactly as by all policies together', () => {
    const name = fc.constantFrom('a', 'b', 'c');
    const head = fc.tuple(
      fc.constantFrom('permit', 'forbid', '@hold("h") permit'),
      fc.oneof(
        fc.constant('principal'),
        name.map((one) => `principal == Agent::"${one}"`),
        name.map((one) => `principal in Owner::"${one}"`),
        fc.constant('principal is Agent'),
      ),
      fc.oneof(
        fc.constant('resource'),
        name.map((one) => `resource == Service::"${one}"`),
        fc.constant('resource is Service'),
      ),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(head, { maxLength: 12 }), name, name, name, (heads, agent, owner, service) => {
        const text = heads
          .map(([effect, principal, resource, get], index) => {
            const at = `@id("p${index}") ${effect}`;
            const when = get ? 'context.method == "GET"' : 'context.risk < 50';
            return `${at} (${principal}, action == Action::"http.call", ${resource}) when { ${when} };`;
          })
          .join('\n');
        const { policies } = parsePolicyFile('t.cedar', text);
        const sliced = new PolicySet(policies, 1);
        // The same policies with heads that no index can tell apart: every one of them is in the slice.
        const whole = new PolicySet(
          policies.map((one) => ({ ...one, principalKey: '*', resourceKey: '*' })),
          1,
        );
        const { actor, call } = request({ agent: { name: agent, owner }, call: { service } });
        const answers = [sliced, whole].map((set) => decideFor(set, actor, call, NO_RISK, now));
        for (const set of [sliced, whole]) set.release();
        expect(answers[0]).toEqual(answers[1]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('bodyFacts', () => {
  const json = [['content-type', 'application/json; charset=utf-8']] as const;
  const facts = (text: string, headers: readonly (readonly [string, string])[] = json) =>
    bodyFacts({ kind: 'buffered', bytes: Buffer.from(text), digest: '' }, headers);

  it('reads JSON and forms, nested names joined by dots', () => {
    expect(facts('{"a":{"b":[1,"x"]}}')).toMatchObject({ inspected: true, fields: ['a.b.0=1', 'a.b.1=x'] });
    const form = [['content-type', 'application/x-www-form-urlencoded']] as const;
    expect(facts('a=1&a=2', form)).toMatchObject({ inspected: true, fields: ['a=1', 'a=2'] });
  });
  it('does not take a body for read that another parser reads differently', () => {
    expect(facts('{"private":true,"private":false}').inspected).toBe(false);
    expect(facts('{"a":1').inspected).toBe(false);
    expect(facts('['.repeat(100_000)).inspected).toBe(false);
    expect(facts('{"a":1}', [['content-type', 'text/plain']]).inspected).toBe(false);
    expect(
      bodyFacts({ kind: 'buffered', bytes: Buffer.from([0x22, 0xff, 0x22]), digest: '' }, json).inspected,
    ).toBe(false);
  });
  it('says so when fields were left out', () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`k${index}`, index])),
    );
    expect(facts(many).inspected).toBe(false);
  });
  it('counts colons inside strings as text', () =>
    expect(facts('{"a":"b:c","d:e":"\\":"}').inspected).toBe(true));
});

describe('explain', () => {
  it('shows what could have permitted a refused call', () => {
    const set = setOf(
      '@id("w") permit (principal, action == Action::"http.call", resource) when { context.access.contains("write") };',
    );
    const answer = explain(set, { agent: { name: 'x' }, call: { service: 'github', path: '/' } }, now);
    expect(answer).toMatchObject({ effect: 'deny', determining: [], considered: ['test.cedar#w'] });
    expect(answer.couldPermit.map((one) => one.id)).toEqual(['test.cedar#w']);
  });
  it('refuses a call that it can not read, naming each fault', () => {
    expect(() => explain(setOf(''), { agent: {}, call: { service: 'x', path: 'no-slash' } }, now)).toThrow(
      Refusal,
    );
  });
});
