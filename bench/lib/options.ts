import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly json: boolean;
  /** How often each thing is measured, in turn with the others. */
  readonly rounds: number;
  /** Length of one measurement. */
  readonly seconds: number;
  /** How long each thing works before anything is measured: what runs on Node is compiled while it runs. */
  readonly warmSeconds: number;
  /** Measures these names alone; null: all. */
  readonly only: readonly string[] | null;
  /** Threads that each engine computes with; null: as many as the machine has. */
  readonly threads: number | null;
  /** Folder for a CPU profile of the service; null: none is made. */
  readonly profile: string | null;
}

/** Reads `--json --rounds N --seconds N --warm N --only a,b --threads N --profile DIR`; a fault ends the process with status 2. */
export function readOptions(defaults: { readonly rounds: number; readonly seconds: number }): BenchOptions {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        rounds: { type: 'string', default: String(defaults.rounds) },
        seconds: { type: 'string', default: String(defaults.seconds) },
        warm: { type: 'string', default: '3' },
        only: { type: 'string' },
        threads: { type: 'string' },
        profile: { type: 'string' },
      },
    });
    const [rounds, seconds, warmSeconds] = [values.rounds, values.seconds, values.warm].map(Number) as [
      number,
      number,
      number,
    ];
    if (!Number.isInteger(rounds) || rounds < 1)
      throw new Error('--rounds must be a whole number of at least 1');
    if (!(seconds > 0)) throw new Error('--seconds must be a number above 0');
    if (!(warmSeconds >= 0)) throw new Error('--warm must be a number of at least 0');
    const threads = values.threads === undefined ? null : Number(values.threads);
    if (threads !== null && !(Number.isInteger(threads) && threads >= 1))
      throw new Error('--threads must be a whole number of at least 1');
    return {
      threads,
      warmSeconds,
      json: values.json,
      rounds,
      seconds,
      only: values.only?.split(',') ?? null,
      profile: values.profile ?? null,
    };
  } catch (fault) {
    console.error(`bench: ${fault instanceof Error ? fault.message : String(fault)}`);
    process.exit(2);
  }
}
