import { describe, expect, it } from 'vitest';
import type { CallBody, HeaderList, HttpCall, JsonValue, ToolCall } from '../../src/core/index.ts';
import { NO_RISK } from '../../src/core/index.ts';
import { decideFor } from '../../src/policy/decide.ts';
import { parsePolicyFile } from '../../src/policy/policy-file.ts';
import { PolicySet } from '../../src/policy/policy-set.ts';
import { sampleSchema, toSampleRequest } from '../../src/policy/sample-call.ts';

/** Attacks by an agent whose passport is good: it writes the body, the arguments and their shape. */

const now = Date.parse('2026-11-23T12:00:00Z');

function setOf(text: string): PolicySet {
  const { policies, faults } = parsePolicyFile('test.cedar', text);
  expect(faults).toEqual([]);
  return new PolicySet(policies, 1);
}

const { actor, call: sampleCall } = toSampleRequest(
  sampleSchema.parse({
    agent: { name: 'mallory', owner: 'platform', scopes: ['github:write', 'tools:call'] },
    call: { service: 'github', method: 'PATCH', path: '/repos/a/b' },
  }),
  now,
);

const NO_PUBLIC = setOf(`
  permit (principal, action, resource);
  forbid (principal, action == Action::"http.call", resource)
  when { context.body.fields.contains("visibility=public") };
  forbid (principal, action == Action::"http.call", resource)
  when { context.body.bytes > 0 && !context.body.inspected };
  forbid (principal, action == Action::"tool.call", resource)
  when { context.arguments.contains("force=true") || !context.argumentsComplete };
`);

function effectOfBody(
  text: string | Uint8Array,
  headers: HeaderList = [['content-type', 'application/json']],
) {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  const body: CallBody = { kind: 'buffered', bytes, digest: 'x' };
  const call: HttpCall = { ...(sampleCall as HttpCall), headers, body };
  return decideFor(NO_PUBLIC, actor, call, NO_RISK, now).effect;
}

function effectOfArguments(args: JsonValue, set = NO_PUBLIC) {
  const call: ToolCall = {
    kind: 'tool',
    id: 'call_1',
    tenant: 'default',
    door: 'decide',
    receivedAt: now,
    tool: 'Bash',
    args,
    hostSessionId: 'h',
    hostCallId: 'c',
  };
  return decideFor(set, actor, call, NO_RISK, now).effect;
}

const manyFields = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`pad${index}`, index]));

describe('a forbid that looks at a body', () => {
  it('lets an ordinary body pass', () => {
    expect(effectOfBody('{"visibility":"private"}')).toBe('allow');
    expect(effectOfBody('visibility=private', [['content-type', 'application/x-www-form-urlencoded']])).toBe(
      'allow',
    );
    expect(
      effectOfBody('{"visibility":"private"}', [['content-type', 'application/json; charset="UTF-8"']]),
    ).toBe('allow');
  });

  it.each([
    ['escapes', '{"visib\\u0069lity":"p\\u0075blic"}'],
    ['a member named twice', '{"visibility":"public","visibility":"private"}'],
    ['a member named twice, the other way round', '{"visibility":"private","visibility":"public"}'],
    ['a twin with an escape', '{"visibility":"private","visib\\u0069lity":"public"}'],
    ['padding with fields', JSON.stringify({ ...manyFields(600), visibility: 'public' })],
    ['a byte order mark', '\ufeff{"visibility":"public"}'],
    ['a comment', '{"visibility":/**/"public"}'],
    ['deep nesting', `${'['.repeat(40)}{"visibility":"public"}${']'.repeat(40)}`],
    ['nothing that is JSON', 'visibility: public'],
  ])('is not passed by %s', (_, text) => expect(effectOfBody(text)).toBe('deny'));

  it.each<[string, string, HeaderList]>([
    ['no type', '{"visibility":"public"}', []],
    ['another type', '{"visibility":"public"}', [['content-type', 'text/plain']]],
    [
      'two types, of which the upstream may take the second',
      'visibility=public',
      [
        ['content-type', 'application/json'],
        ['content-type', 'application/x-www-form-urlencoded'],
      ],
    ],
    [
      'another charset',
      '{"+AHYAaQBzAGkAYgBpAGwAaQB0AHk-":"public"}',
      [['content-type', 'application/json; charset=utf-7']],
    ],
    [
      'a charset in which the bytes read otherwise',
      '{"a":"b"}',
      [['content-type', 'application/json;charset=IBM037']],
    ],
    [
      'a coding',
      '{"visibility":"private"}',
      [
        ['content-type', 'application/json'],
        ['content-encoding', 'gzip'],
      ],
    ],
    [
      'a form with more fields than are shown',
      `${new URLSearchParams(Object.entries(manyFields(600)).map(([name, value]) => [name, `${value}`]))}&visibility=public`,
      [['content-type', 'application/x-www-form-urlencoded']],
    ],
  ])('is not passed by %s', (_, text, headers) => expect(effectOfBody(text, headers)).toBe('deny'));

  it('is not passed by UTF-16', () =>
    expect(effectOfBody(Buffer.from('{"visibility":"public"}', 'utf16le'))).toBe('deny'));
});

describe('a forbid that looks at arguments', () => {
  it('lets ordinary arguments pass', () =>
    expect(effectOfArguments({ command: 'ls', flags: ['-l'] })).toBe('allow'));

  it('is not passed by padding', () => {
    expect(effectOfArguments({ force: true })).toBe('deny');
    expect(effectOfArguments({ ...manyFields(600), force: true })).toBe('deny');
    expect(effectOfArguments({ note: 'x'.repeat(5000) })).toBe('deny');
  });
});

describe('a permit that looks at arguments', () => {
  const set = setOf(
    'permit (principal, action == Action::"tool.call", resource) when { context.arguments.contains("target.env=test") };',
  );

  it('is satisfied by the member that it names', () =>
    expect(effectOfArguments({ target: { env: 'test' } }, set)).toBe('allow'));

  it.each<[string, JsonValue]>([
    ['a dot in a name', { 'target.env': 'test', target: { env: 'production' } }],
    ['an equals sign in a name', { 'target.env=test': '', target: { env: 'production' } }],
    ['a backslash in front of the mark', { 'target\\.env': 'test', target: { env: 'production' } }],
    ['a value that looks like another field', { note: 'x\ntarget.env=test' }],
  ])('is not satisfied by %s', (_, args) => expect(effectOfArguments(args, set)).toBe('deny'));
});

describe('names from outside', () => {
  it.each(['__proto__', 'constructor', 'toString', 'a"b', 'a\nb', '*', 'Service::"github"'])(
    'an agent, owner or service called %j is just a name',
    (name) => {
      const set = setOf(
        'permit (principal == Agent::"reviewer", action, resource == Service::"github"); permit (principal in Owner::"platform", action, resource == Service::"github");',
      );
      const call = sampleCall as HttpCall;
      for (const stranger of [
        { actor: { ...actor, agentName: name, owner: name }, call },
        { actor, call: { ...call, service: { ...call.service, name } } },
      ]) {
        expect(decideFor(set, stranger.actor, stranger.call, NO_RISK, now).effect).toBe('deny');
      }
    },
  );

  it('tells a tool from a service of the same name', () => {
    const set = setOf('permit (principal, action, resource == Service::"Bash");');
    expect(effectOfArguments({}, set)).toBe('deny');
  });
});
