import { expect, it } from 'vitest';
import type { Guard, GuardScores } from '../../../src/guard/guard.ts';
import { remembering } from '../../../src/guard/remembering.ts';

function counting(answers: readonly GuardScores[]) {
  let asked = 0;
  const guard: Guard = {
    status: { kind: 'starting' },
    score: async () => {
      asked += 1;
      return answers[Math.min(asked, answers.length) - 1] ?? 'absent';
    },
  };
  return { guard, asked: () => asked };
}

const question = (text: string, labels = ['injection']) =>
  ({ segments: [{ role: 'result', text }], labels, deadlineMs: 1 }) as const;

it('asks once for the same segments and labels, and again for others', async () => {
  const { guard, asked } = counting([new Map([['injection', 0.25]])]);
  const one = remembering(guard);
  expect(await one.score(question('a'))).toEqual(await one.score(question('a')));
  expect(asked()).toBe(1);
  await one.score(question('b'));
  await one.score(question('a', ['malicious_call']));
  expect(asked()).toBe(3);
  expect(one.status).toEqual({ kind: 'starting' });
});

it('does not keep what did not come', async () => {
  const { guard, asked } = counting(['late', 'absent', new Map([['injection', 1]])]);
  const one = remembering(guard);
  expect([await one.score(question('a')), await one.score(question('a'))]).toEqual(['late', 'absent']);
  expect(await one.score(question('a'))).toBeInstanceOf(Map);
  expect(asked()).toBe(3);
});

it('keeps no more than it may', async () => {
  const { guard, asked } = counting([new Map()]);
  const one = remembering(guard, 2);
  for (const text of ['a', 'b', 'c', 'a']) await one.score(question(text));
  expect(asked()).toBe(4);
});
