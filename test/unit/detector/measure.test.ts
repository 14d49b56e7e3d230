import { expect, it } from 'vitest';
import { labelSchema, Measure } from '../../../src/detector/index.ts';

const benign = (id: string) => labelSchema.parse({ id, verdict: 'benign' });
const line = (traceId: string, phase: 'call' | 'result', decision: 'allow' | 'hold') => ({
  traceId,
  seq: 1,
  callId: 'c1',
  phase,
  score: 0.8,
  decision,
  findings: [{ check: `check.${phase}`, score: 0.8, evidence: '' }],
});

it('tells sessions of which a call had to wait from those of which a result was only flagged', () => {
  const measure = new Measure('m', [benign('quiet'), benign('suspected'), benign('held')]);
  expect(measure.add(line('quiet', 'result', 'allow'))).toBe(true);
  expect(measure.add(line('suspected', 'result', 'hold'))).toBe(true);
  expect(measure.add(line('held', 'call', 'hold'))).toBe(true);
  expect(measure.add(line('of another file', 'call', 'hold'))).toBe(false);
  const { benign: sessions, disturbed, suspected, disturbing } = measure.figures();
  expect({ sessions, disturbed, suspected }).toEqual({ sessions: 3, disturbed: 1, suspected: 1 });
  expect([...disturbing]).toEqual([['held', ['check.call']]]);
});
