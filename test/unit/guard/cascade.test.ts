import { describe, expect, it } from 'vitest';
import { cascade } from '../../../src/guard/cascade.ts';
import type { GuardScores, GuardStatus } from '../../../src/guard/guard.ts';
import type { OpenGuard } from '../../../src/guard/opened.ts';

const READY = {
  kind: 'ready',
  backend: 'cpu',
  architecture: 'canary-guard',
  preset: 'canary-guard',
} as const;

interface Asked {
  readonly labels: readonly string[];
  readonly deadlineMs: number;
}

function fake(answer: GuardScores, status: GuardStatus = { ...READY, model: 'x.gguf' }) {
  const asked: Asked[] = [];
  const guard: OpenGuard = {
    status,
    isRequired: false,
    isFit: true,
    counts: { scored: 1, remembered: 0, late: 0, absent: 0, restarts: 0 },
    settled: async () => {},
    stats: async () => null,
    close: async () => {},
    score: async ({ labels, deadlineMs }) => {
      asked.push({ labels, deadlineMs });
      return answer;
    },
  };
  return { guard, asked };
}

const QUESTION = {
  tenant: 'default',
  segments: [{ role: 'result', text: 'x' }],
  labels: ['injection', 'malicious_call'],
  deadlineMs: 1_000,
} as const;
const UNSURE = { from: 0.3, below: 0.9 };
const said = (injection: number, call: number) =>
  new Map([
    ['injection', injection],
    ['malicious_call', call],
  ]);

describe('a cascade of two guards', () => {
  it.each([
    [0.29, 0.1],
    [0.9, 0.95],
    [0, 1],
  ])('leaves the bigger model alone where the small one is sure (%d, %d)', async (injection, call) => {
    const small = fake(said(injection, call));
    const big = fake(said(0.5, 0.5));
    expect(await cascade(small.guard, big.guard, UNSURE).score(QUESTION)).toEqual(said(injection, call));
    expect(big.asked).toEqual([]);
  });

  it('asks for the unsure labels alone, and the bigger word is what counts', async () => {
    const small = fake(said(0.3, 0.95));
    const big = fake(new Map([['injection', 0.02]]));
    expect(await cascade(small.guard, big.guard, UNSURE).score(QUESTION)).toEqual(said(0.02, 0.95));
    expect(big.asked.map(({ labels }) => labels)).toEqual([['injection']]);
    expect(big.asked[0]?.deadlineMs).toBeLessThanOrEqual(1_000);
  });

  it('keeps the small word where the bigger model has no opinion, and for labels that it does not know', async () => {
    const small = fake(said(0.5, 0.5));
    expect(await cascade(small.guard, fake('absent').guard, UNSURE).score(QUESTION)).toEqual(said(0.5, 0.5));
    const partly = fake(new Map([['injection', 0.8]]));
    expect(await cascade(small.guard, partly.guard, UNSURE).score(QUESTION)).toEqual(said(0.8, 0.5));
  });

  it('is late where the bigger word was needed and did not come', async () => {
    const small = fake(said(0.5, 0.1));
    expect(await cascade(small.guard, fake('late').guard, UNSURE).score(QUESTION)).toBe('late');
  });

  it.each(['late', 'absent'] as const)(
    'has nothing to ask about where the small one is %s',
    async (answer) => {
      const big = fake(said(1, 1));
      expect(await cascade(fake(answer).guard, big.guard, UNSURE).score(QUESTION)).toBe(answer);
      expect(big.asked).toEqual([]);
    },
  );

  it('shows the one that does not work', () => {
    const failing = { kind: 'failing', reason: 'gone', since: 1 } as const;
    const works = () => fake('absent').guard;
    expect(cascade(works(), fake('late', failing).guard, UNSURE).status).toEqual(failing);
    expect(cascade(fake('late', failing).guard, works(), UNSURE).status).toEqual(failing);
    expect(cascade(works(), works(), UNSURE).status).toMatchObject({ model: 'x.gguf, where unsure x.gguf' });
  });
});
