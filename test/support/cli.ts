import { runCli } from '../../src/cli/run.ts';

export interface CliAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One `sallyport …` in this process: no start of another Node, for tests that run many. */
export async function cli(
  environment: Readonly<Record<string, string | undefined>>,
  ...argv: readonly string[]
): Promise<CliAnswer> {
  let out = '';
  let err = '';
  const code = await runCli({
    argv,
    environment: { PATH: process.env.PATH, ...environment },
    input: process.stdin,
    out: { write: (text) => (out += Buffer.from(text).toString('utf8')) },
    err: { write: (text) => (err += Buffer.from(text).toString('utf8')) },
    signal: new AbortController().signal,
  });
  return { code, out, err };
}
