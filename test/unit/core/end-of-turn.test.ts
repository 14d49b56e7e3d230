import { expect, test } from 'vitest';
import { endOfTurn } from '../../../src/core/index.ts';

test('what waits in one turn goes on together, in its order, and before the loop sleeps', async () => {
  const seen: string[] = [];
  const slept = new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => seen.push('slept'));
  const first = endOfTurn().then(() => seen.push('first'));
  await Promise.resolve();
  const second = endOfTurn().then(() => seen.push('second'));
  expect(seen).toEqual([]);
  await Promise.all([first, second]);
  expect(seen).toEqual(['first', 'second']);
  await slept;
});

test('who waits again waits for the next turn', async () => {
  let turns = 0;
  const count = () => {
    turns += 1;
    if (turns < 3) setImmediate(count);
  };
  setImmediate(count);
  await endOfTurn();
  const before = turns;
  await endOfTurn();
  expect(turns).toBeGreaterThan(before);
});
