import { describe, expect, it } from 'vitest';
import { Chance, mutate } from './mutate.ts';
import { fuzz } from './run.ts';
import { type FuzzTarget, mustHold, pure } from './target.ts';
import { TARGETS } from './targets/index.ts';

/** Short, with fixed seeds. `npm run fuzz` goes on for as long as it is told. */
const INPUTS: Readonly<Record<string, number>> = { framing: 60, decode: 60, config: 300 };

describe('under bytes that a fixed seed makes', () => {
  it.each(TARGETS.map(({ name, promise }) => [name, promise]))('%s: %s', async (name) => {
    const target = TARGETS.find((one) => one.name === name);
    if (target === undefined) throw new Error('no such target');
    const wanted = target.seeds.length + (INPUTS[name ?? ''] ?? 1_500);
    const { inputs, finding } = await fuzz(target, 20_261_123, (done) => done < wanted);
    expect(finding).toBeNull();
    expect(inputs).toBe(wanted);
  });
});

describe('the fuzzer', () => {
  const target: FuzzTarget = {
    name: 'fragile',
    promise: 'holds no NUL behind a bracket',
    seeds: ['[a]'],
    dictionary: ['\0', ']'],
    open: pure((input) => mustHold(!Buffer.from(input).includes('[\0'), 'found')),
  };

  it('finds what is broken, and the same seed finds it again at the same place', async () => {
    const [one, again] = [
      await fuzz(target, 7, (done) => done < 50_000),
      await fuzz(target, 7, (done) => done < 50_000),
    ];
    expect(one.finding?.fault).toMatchObject({ message: 'found' });
    expect(again.finding?.number).toBe(one.finding?.number);
    expect(again.finding?.input).toEqual(one.finding?.input);
  });

  it('makes the same inputs of the same seed, and others of another', () => {
    const make = (seed: number) => {
      const chance = new Chance(seed);
      const o = { dictionary: [Buffer.from('x')], corpus: [Buffer.from('corpus')] };
      return Array.from({ length: 50 }, () =>
        Buffer.from(mutate(chance, Buffer.from('hello'), o)).toString('hex'),
      );
    };
    expect(make(1)).toEqual(make(1));
    expect(make(1)).not.toEqual(make(2));
    expect(new Set(make(1)).size).toBeGreaterThan(30);
  });
});
