import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/index.ts';
import {
  type AttemptedCall,
  covers,
  isWithin,
  narrow,
  ProofFault,
  parseToolCallDetails,
  type ToolCallDetail,
} from '../../../src/proof/index.ts';

const read = (value: JsonValue) => parseToolCallDetails(value);
const one = (detail: Record<string, JsonValue>): ToolCallDetail => {
  const [parsed] = read([{ type: 'tool_call', ...detail }]);
  if (parsed === undefined) throw new Error('nothing was parsed');
  return parsed;
};

describe('reading tool_call details', () => {
  test('a good one comes back as it was written', () => {
    const details = [
      { type: 'tool_call', service: 'github', method: 'POST', path: '/repos/acme/*', max_calls: 3 },
      {
        type: 'tool_call',
        server: 'files',
        tool: 'write',
        arguments: {
          path: { prefix: '/tmp/' },
          'a\\.b.0': { in: [1, 'x', null, true] },
          n: { min: 1, max: 2 },
        },
        not_after: 2_000_000_000,
      },
      { type: 'tool_call', server: 'files' },
      { type: 'tool_call', tool: 'Bash' },
      { type: 'tool_call', service: 'api', arguments: { 'query.page': { max: 9 }, 'body.a.b': { eq: 'c' } } },
    ];
    expect(read(details)).toEqual(details);
  });

  test.each<[string, JsonValue]>([
    ['no array', { type: 'tool_call', tool: 'x' }],
    ['an empty array', []],
    ['17 of them', Array.from({ length: 17 }, () => ({ type: 'tool_call', tool: 'x' }))],
    ['more text than a passport carries', [{ type: 'tool_call', tool: 'x', arguments: big() }]],
    ['a text in place of an object', ['tool_call']],
    ['null', [null]],
    ['no type', [{ tool: 'x' }]],
    ['another type', [{ type: 'root', tool: 'x' }]],
    ['a type in another case', [{ type: 'Tool_call', tool: 'x' }]],
    ['a member that is not understood', [{ type: 'tool_call', tool: 'x', actions: ['read'] }]],
    ['nothing that it is about', [{ type: 'tool_call' }]],
    ['a service and a tool', [{ type: 'tool_call', service: 'api', tool: 'x' }]],
    ['a service and a server', [{ type: 'tool_call', service: 'api', server: 'x' }]],
    ['a method without a service', [{ type: 'tool_call', tool: 'x', method: 'GET' }]],
    ['a path without a service', [{ type: 'tool_call', server: 'x', path: '/' }]],
    ['a service in capitals', [{ type: 'tool_call', service: 'API' }]],
    ['a method in small letters', [{ type: 'tool_call', service: 'api', method: 'get' }]],
    ['a relative path', [{ type: 'tool_call', service: 'api', path: 'x' }]],
    ['a path with a dot segment', [{ type: 'tool_call', service: 'api', path: '/a/../b' }]],
    ['a path that ends in a dot segment', [{ type: 'tool_call', service: 'api', path: '/a/..' }]],
    ['a path with two slashes', [{ type: 'tool_call', service: 'api', path: '/a//b' }]],
    ['a path with a query', [{ type: 'tool_call', service: 'api', path: '/a?b' }]],
    ['an asterisk inside a path', [{ type: 'tool_call', service: 'api', path: '/*/b' }]],
    ['an asterisk behind a letter', [{ type: 'tool_call', service: 'api', path: '/a*' }]],
    ['a server with two underscores', [{ type: 'tool_call', server: 'a__b' }]],
    ['a tool with a control character', [{ type: 'tool_call', tool: 'x\u0000' }]],
    ['no calls', [{ type: 'tool_call', tool: 'x', max_calls: 0 }]],
    ['half a call', [{ type: 'tool_call', tool: 'x', max_calls: 1.5 }]],
    ['calls as text', [{ type: 'tool_call', tool: 'x', max_calls: '5' }]],
    ['a time as text', [{ type: 'tool_call', tool: 'x', not_after: '2030-01-01' }]],
    ['no arguments', [{ type: 'tool_call', tool: 'x', arguments: {} }]],
    ['arguments as a list', [{ type: 'tool_call', tool: 'x', arguments: [] }]],
    ['an argument without a constraint', [{ type: 'tool_call', tool: 'x', arguments: { a: {} } }]],
    ['an operator that is not known', [{ type: 'tool_call', tool: 'x', arguments: { a: { like: '%' } } }]],
    ['an in that is empty', [{ type: 'tool_call', tool: 'x', arguments: { a: { in: [] } } }]],
    ['an in that holds a list', [{ type: 'tool_call', tool: 'x', arguments: { a: { in: [['b']] } } }]],
    ['a bound as text', [{ type: 'tool_call', tool: 'x', arguments: { a: { max: '5' } } }]],
    ['a prefix that is a number', [{ type: 'tool_call', tool: 'x', arguments: { a: { prefix: 5 } } }]],
    ['an empty step', [{ type: 'tool_call', tool: 'x', arguments: { 'a..b': { eq: 1 } } }]],
    ['an escape that is none', [{ type: 'tool_call', tool: 'x', arguments: { 'a\\n': { eq: 1 } } }]],
    ['an HTTP argument from nowhere', [{ type: 'tool_call', service: 'api', arguments: { a: { eq: 1 } } }]],
  ])('%s is refused as a whole', (_what, value) => {
    expect(() => read(value)).toThrow(ProofFault);
  });

  test('whatever comes, it is read or refused, and what is read says the same again', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.jsonValue(), detailLike())), (value) => {
        let parsed: readonly ToolCallDetail[];
        try {
          parsed = read(value as JsonValue);
        } catch (fault) {
          expect(fault).toBeInstanceOf(ProofFault);
          return;
        }
        expect(read(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
      }),
    );
  });
});

describe('a child', () => {
  test.each<[string, Record<string, JsonValue>, Record<string, JsonValue>, boolean]>([
    ['equal', { tool: 'x' }, { tool: 'x' }, true],
    ['of another tool', { tool: 'y' }, { tool: 'x' }, false],
    ['of another case', { tool: 'X' }, { tool: 'x' }, false],
    ['of one tool of a server', { server: 's', tool: 'x' }, { server: 's' }, true],
    ['of all tools of a server', { server: 's' }, { server: 's', tool: 'x' }, false],
    ['without the server', { tool: 'x' }, { server: 's', tool: 'x' }, false],
    ['with a server', { server: 's', tool: 'x' }, { tool: 'x' }, false],
    ['with a method', { service: 'a', method: 'GET' }, { service: 'a' }, true],
    ['without the method', { service: 'a' }, { service: 'a', method: 'GET' }, false],
    ['with a path below', { service: 'a', path: '/b/c' }, { service: 'a', path: '/b/*' }, true],
    ['with all of it below', { service: 'a', path: '/b/c/*' }, { service: 'a', path: '/b/*' }, true],
    ['with the same subtree', { service: 'a', path: '/b/*' }, { service: 'a', path: '/b/*' }, true],
    ['with a path beside', { service: 'a', path: '/bc/d' }, { service: 'a', path: '/b/*' }, false],
    ['with a wider subtree', { service: 'a', path: '/*' }, { service: 'a', path: '/b/*' }, false],
    ['with a subtree of one path', { service: 'a', path: '/b/*' }, { service: 'a', path: '/b' }, false],
    ['without the path', { service: 'a' }, { service: 'a', path: '/b/*' }, false],
    ['with fewer calls', { tool: 'x', max_calls: 5 }, { tool: 'x', max_calls: 10 }, true],
    ['with a limit of its own', { tool: 'x', max_calls: 5 }, { tool: 'x' }, true],
    ['with more calls', { tool: 'x', max_calls: 20 }, { tool: 'x', max_calls: 10 }, false],
    ['without the limit', { tool: 'x' }, { tool: 'x', max_calls: 10 }, false],
    ['that ends before', { tool: 'x', not_after: 5 }, { tool: 'x', not_after: 6 }, true],
    ['that ends later', { tool: 'x', not_after: 7 }, { tool: 'x', not_after: 6 }, false],
    ['that does not end', { tool: 'x' }, { tool: 'x', not_after: 6 }, false],
    ...argumentCases(),
  ])('%s is within its parent or not', (_what, child, parent, within) => {
    expect(isWithin(one(child), one(parent))).toBe(within);
  });

  test('may not take half from one detail of its parent and half from another', () => {
    const parent = [
      one({ tool: 'x', arguments: { a: { eq: 1 } } }),
      one({ tool: 'x', arguments: { b: { eq: 1 } } }),
    ];
    expect(narrow(parent, [one({ tool: 'x' })])).toEqual([null]);
    expect(narrow(parent, [one({ tool: 'x', arguments: { b: { eq: 1 } } })])).toEqual([1]);
    expect(narrow([], [one({ tool: 'x' })])).toEqual([-1]);
  });

  test('that is within its parent covers no call that the parent does not', () => {
    fc.assert(
      fc.property(
        constrained(),
        constrained(),
        argumentValue(),
        fc.boolean(),
        (child, parent, value, asQuery) => {
          const call: AttemptedCall = asQuery
            ? {
                kind: 'http',
                service: 'api',
                method: 'GET',
                path: '/',
                query: [['a', String(value)]],
                body: null,
              }
            : { kind: 'tool', tool: 'x', args: { a: value } };
          const about = (constraint: JsonValue) =>
            one(
              asQuery
                ? { service: 'api', arguments: { 'query.a': constraint } }
                : { tool: 'x', arguments: { a: constraint } },
            );
          const [narrower, wider] = [about(child), about(parent)];
          if (isWithin(narrower, wider) && covers(narrower, call, 0))
            expect(covers(wider, call, 0)).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a call', () => {
  const http = (o: Partial<Extract<AttemptedCall, { kind: 'http' }>> = {}): AttemptedCall => ({
    kind: 'http',
    service: 'github',
    method: 'GET',
    path: '/repos/acme/app',
    query: [],
    body: null,
    ...o,
  });

  test.each<[string, Record<string, JsonValue>, AttemptedCall, boolean]>([
    ['of the service', { service: 'github' }, http(), true],
    ['of another service', { service: 'npm' }, http(), false],
    ['below the path', { service: 'github', path: '/repos/*' }, http(), true],
    ['of another method', { service: 'github', method: 'POST' }, http(), false],
    ['of a service under a tool detail', { tool: 'github' }, http(), false],
    [
      'of a tool under a service detail',
      { service: 'github' },
      { kind: 'tool', tool: 'github', args: {} },
      false,
    ],
    [
      'of a server’s tool',
      { server: 'gh', tool: 'merge' },
      { kind: 'tool', tool: 'mcp__gh__merge', args: {} },
      true,
    ],
    ['of any of its tools', { server: 'gh' }, { kind: 'tool', tool: 'mcp__gh__merge', args: {} }, true],
    [
      'of a server with a longer name',
      { server: 'gh' },
      { kind: 'tool', tool: 'mcp__gh2__merge', args: {} },
      false,
    ],
    [
      'without the argument',
      { tool: 'x', arguments: { a: { eq: 1 } } },
      { kind: 'tool', tool: 'x', args: {} },
      false,
    ],
    [
      'whose argument is inherited',
      { tool: 'x', arguments: { constructor: { prefix: '' } } },
      { kind: 'tool', tool: 'x', args: {} },
      false,
    ],
    [
      'with the same parameter twice, one of them wrong',
      { service: 'github', arguments: { 'query.page': { max: 5 } } },
      http({
        query: [
          ['page', '1'],
          ['page', '9'],
        ],
      }),
      false,
    ],
    [
      'with a number that is none',
      { service: 'github', arguments: { 'query.page': { max: 5 } } },
      http({ query: [['page', '0x1']] }),
      false,
    ],
    [
      'whose body was not read',
      { service: 'github', arguments: { 'body.title': { prefix: 'x' } } },
      http({ method: 'POST' }),
      false,
    ],
    [
      'whose body says so',
      { service: 'github', arguments: { 'body.labels.0': { in: ['bug'] } } },
      http({ method: 'POST', body: { json: { labels: ['bug'] } } }),
      true,
    ],
    [
      'whose form says so',
      { service: 'github', arguments: { 'body.amount': { max: 10 } } },
      http({ method: 'POST', body: { form: [['amount', '10']] } }),
      true,
    ],
  ])('%s is covered or not', (_what, detail, call, covered) => {
    expect(covers(one(detail), call, 0)).toBe(covered);
  });

  test('is covered before not_after, and not at it', () => {
    const detail = one({ service: 'github', not_after: 1_000 });
    expect(covers(detail, http(), 999_999)).toBe(true);
    expect(covers(detail, http(), 1_000_000)).toBe(false);
  });
});

function argumentCases(): [string, Record<string, JsonValue>, Record<string, JsonValue>, boolean][] {
  const about = (constraint: JsonValue) => ({ tool: 'x', arguments: { a: constraint } });
  const pairs: [JsonValue, JsonValue, boolean][] = [
    [{ eq: 1 }, { eq: 1 }, true],
    [{ eq: '1' }, { eq: 1 }, false],
    [{ eq: 1 }, { in: [1, 2] }, true],
    [{ eq: 3 }, { in: [1, 2] }, false],
    [{ in: [1] }, { in: [1, 2] }, true],
    [{ in: [1, 3] }, { in: [1, 2] }, false],
    [{ prefix: '/a/b' }, { prefix: '/a' }, true],
    [{ prefix: '/' }, { prefix: '/a' }, false],
    [{ eq: '/a/b' }, { prefix: '/a' }, true],
    [{ in: ['/a', '/b'] }, { prefix: '/a' }, false],
    [{ max: 5 }, { max: 10 }, true],
    [{ max: 11 }, { max: 10 }, false],
    [{ min: 1 }, { max: 10 }, false],
    [{ max: 5, min: 2 }, { max: 5, min: 1 }, true],
    [{ eq: 5 }, { max: 10 }, true],
    [{ eq: '5' }, { max: 10 }, false],
    [{ prefix: 'x' }, { eq: 'x' }, false],
  ];
  return [
    ...pairs.map(
      ([child, parent, within]): [string, Record<string, JsonValue>, Record<string, JsonValue>, boolean] => [
        `${JSON.stringify(child)} of ${JSON.stringify(parent)}`,
        about(child),
        about(parent),
        within,
      ],
    ),
    ['without the constraint', { tool: 'x' }, about({ eq: 1 }), false],
    ['with a further constraint', about({ eq: 1 }), { tool: 'x' }, true],
  ];
}

function constrained(): fc.Arbitrary<JsonValue> {
  const scalar = fc.oneof(
    fc.constantFrom('', 'a', 'ab', '1', 'true'),
    fc.integer({ min: -2, max: 2 }),
    fc.boolean(),
  );
  return fc
    .record(
      {
        eq: scalar,
        in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
        prefix: fc.constantFrom('', 'a', 'ab'),
        max: fc.integer({ min: -2, max: 2 }),
        min: fc.integer({ min: -2, max: 2 }),
      },
      { requiredKeys: [] },
    )
    .filter((constraint) => Object.keys(constraint).length > 0);
}

function argumentValue(): fc.Arbitrary<string | number | boolean> {
  return fc.oneof(
    fc.constantFrom('', 'a', 'ab', 'abc', '1', '2', '-1', 'true'),
    fc.integer({ min: -3, max: 3 }),
    fc.boolean(),
  );
}

function detailLike(): fc.Arbitrary<unknown> {
  return fc.record(
    {
      type: fc.constant('tool_call'),
      tool: fc.string(),
      service: fc.string(),
      path: fc.webPath(),
      max_calls: fc.integer(),
      arguments: fc.dictionary(fc.string(), constrained()),
    },
    { requiredKeys: ['type'] },
  );
}

function big(): JsonValue {
  return Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`a${index}`, { eq: 'x'.repeat(250) }]));
}
