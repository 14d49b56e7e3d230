import { Chance, mutate } from './mutate.ts';
import type { FuzzTarget } from './target.ts';

/** An input that broke its target, and how to see it again. */
export interface Finding {
  readonly target: string;
  readonly seed: number;
  /** Which input of the run it was. */
  readonly number: number;
  readonly input: Uint8Array;
  readonly fault: unknown;
}

export interface FuzzOutcome {
  readonly inputs: number;
  readonly finding: Finding | null;
}

/** Inputs that are kept to make others of. */
const CORPUS = 256;

/** Tries inputs until `goOn` says no, or one breaks the promise. The same seed gives the same inputs. */
export async function fuzz(
  target: FuzzTarget,
  seed: number,
  goOn: (inputs: number) => boolean,
): Promise<FuzzOutcome> {
  const chance = new Chance(seed);
  const dictionary = target.dictionary.map((piece) => Buffer.from(piece, 'latin1'));
  const corpus: Uint8Array[] = target.seeds.map((one) =>
    typeof one === 'string' ? Buffer.from(one, 'latin1') : one,
  );
  const run = await target.open();
  let inputs = 0;
  try {
    while (goOn(inputs)) {
      const whole = inputs < corpus.length ? corpus[inputs] : undefined;
      const input = whole ?? mutate(chance, chance.of(corpus), { dictionary, corpus });
      inputs += 1;
      try {
        await run.try(input);
      } catch (fault) {
        return { inputs, finding: { target: target.name, seed, number: inputs, input, fault } };
      }
      if (whole === undefined && chance.below(8) === 0) {
        if (corpus.length < CORPUS) corpus.push(input);
        else corpus[target.seeds.length + chance.below(CORPUS - target.seeds.length)] = input;
      }
    }
  } finally {
    await run.close();
  }
  return { inputs, finding: null };
}
