import { expect, it } from 'vitest';
import { labelSchema, Measure, scoreSchema } from '../../../src/detector/index.ts';

const score = (traceId: string, callId: string, value: number) =>
  scoreSchema.parse({ traceId, callId, seq: 0, phase: 'call', score: value, decision: 'allow' });

it('the reliability of scores counts what an attacker wants against every other call of a range', () => {
  const measure = new Measure('x', [
    labelSchema.parse({
      id: 'a',
      verdict: 'malicious',
      maliciousCallIds: ['c2', 'c3'],
      decisiveCallIds: ['c3'],
    }),
    labelSchema.parse({ id: 'b', verdict: 'benign' }),
    labelSchema.parse({ id: 'c', verdict: 'malicious', callLabels: 'unknown' }),
  ]);
  for (const [traceId, callId, value] of [
    ['a', 'c1', 0],
    ['a', 'c2', 0.72],
    ['a', 'c3', 1],
    ['b', 'c1', 0.7],
    ['b', 'c2', 0],
    ['c', 'c1', 0.3],
  ] as const)
    measure.add(score(traceId, callId, value));
  expect(measure.figures().reliability).toEqual([
    { from: 0, below: 0, calls: 2, meanScore: 0, harmful: 0 },
    { from: 0.7, below: 0.8, calls: 2, meanScore: 0.71, harmful: 1 },
    { from: 0.9, below: 1, calls: 1, meanScore: 1, harmful: 1 },
  ]);
});
