import { expect, it } from 'vitest';
import { type Question, RememberedScores } from '../../../src/guard/remembered.ts';

const scores = new Map([['injection', 0.25]]);
const question = (text: string, other: Partial<Question> = {}): Question => ({
  tenant: 'one',
  segments: [{ role: 'result', text }],
  labels: ['injection'],
  ...other,
});

it('knows an answer again by what was asked, for whom, and by which labels', () => {
  const kept = new RememberedScores();
  kept.set(kept.keyOf(question('a')), scores);
  expect(kept.get(kept.keyOf(question('a')))).toBe(scores);
  for (const other of [
    question('b'),
    question('a', { tenant: 'two' }),
    question('a', { labels: ['malicious_call'] }),
    question('a', { segments: [{ role: 'call', text: 'a' }] }),
  ]) {
    expect(kept.get(kept.keyOf(other))).toBeNull();
  }
});

it('keeps no more than it may, and those longest that are asked for', () => {
  const kept = new RememberedScores(2);
  for (const text of ['a', 'b']) kept.set(text, scores);
  kept.get('a');
  kept.set('c', scores);
  expect(['a', 'b', 'c'].map((key) => kept.get(key) !== null)).toEqual([true, false, true]);
});
