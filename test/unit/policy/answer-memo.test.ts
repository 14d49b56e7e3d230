import { expect, test } from 'vitest';
import { AnswerMemo } from '../../../src/policy/answer-memo.ts';
import type { EngineRequest } from '../../../src/policy/engine.ts';
import { parsePolicyFile } from '../../../src/policy/policy-file.ts';
import { PolicySet } from '../../../src/policy/policy-set.ts';

function question(
  context: Record<string, string | number | readonly string[]>,
  id = 'planner',
): EngineRequest {
  return {
    principal: { type: 'Agent', id },
    owner: 'alice',
    action: 'http.call',
    resource: { type: 'Service', id: 'github' },
    context: { time: 1, ...context },
  };
}

const answer = { allowed: true, reasons: ['a'], errors: [] };

test('the same question is put to Cedar once, whatever the second', () => {
  const memo = new AnswerMemo();
  let asked = 0;
  const ask = () => {
    asked += 1;
    return answer;
  };
  memo.answer(question({ path: '/a', time: 1 }), ask);
  memo.answer(question({ path: '/a', time: 2 }), ask);
  expect(asked).toBe(1);
});

test('a question that differs in anything else is another one', () => {
  const memo = new AnswerMemo();
  const others = [
    question({ path: '/a', risk: 0 }),
    question({ path: '/b', risk: 0 }),
    question({ path: '/a', risk: 90 }),
    question({ path: '/a', risk: 0 }, 'other'),
    question({ path: '/a', risk: 0, scopes: ['x'] }),
    { ...question({ path: '/a', risk: 0 }), owner: 'bob' },
    { ...question({ path: '/a', risk: 0 }), resourceOwner: 'bob' },
  ];
  let asked = 0;
  for (const one of others)
    memo.answer(one, () => {
      asked += 1;
      return answer;
    });
  expect(asked).toBe(others.length);
});

test('what could not be evaluated is asked again', () => {
  const memo = new AnswerMemo();
  let asked = 0;
  const ask = () => {
    asked += 1;
    return { ...answer, errors: [{ policy: 'a', message: 'no' }] };
  };
  memo.answer(question({}), ask);
  memo.answer(question({}), ask);
  expect(asked).toBe(2);
});

test.each([
  ['context.time < 100', 'plainly'],
  ['context["\\u{74}ime"] < 100', 'with an escape'],
  ['context has time && context.time < 100', 'behind has'],
])('a policy that looks at the time is asked each time: %s', (condition) => {
  const { policies, faults } = parsePolicyFile(
    'a.cedar',
    `permit (principal, action, resource) when { ${condition} };`,
  );
  expect(faults).toEqual([]);
  const set = new PolicySet(policies, 1);
  try {
    expect(set.evaluate(question({ time: 99 })).allowed).toBe(true);
    expect(set.evaluate(question({ time: 100 })).allowed).toBe(false);
  } finally {
    set.release();
  }
});

test('a set without such a policy remembers, and answers as before', () => {
  const { policies } = parsePolicyFile(
    'a.cedar',
    'permit (principal, action, resource) when { context.risk < 50 };',
  );
  const set = new PolicySet(policies, 1);
  try {
    for (const risk of [0, 80, 0, 80]) expect(set.evaluate(question({ risk })).allowed).toBe(risk < 50);
  } finally {
    set.release();
  }
});
