import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { HOSTS, type HookVerdict, type HostName, handleHook } from '../../src/hooks/index.ts';
import type { VectorResult } from '../vectors/main.ts';

const verdict = z.object({
  restrain: z.enum(['deny', 'ask', 'none', 'error', 'late']),
  reason: z.string().optional(),
  onLate: z.enum(['deny', 'ask', 'none']).optional(),
  rewriteArgs: z.record(z.string(), z.json()).optional(),
  replaceResult: z.string().optional(),
  appendContext: z.string().optional(),
});
const file = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      input: z.object({ stdin: z.unknown(), verdict }),
      expected: z.object({ exitCode: z.int(), stdout: z.unknown() }),
    }),
  ),
});

/** Hook messages of a host through the adapter: what it answers for each verdict of the gate. */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = file.parse(JSON.parse(await readFile(path, 'utf8')));
  const failures: { id: string; why: string }[] = [];
  for (const { id, host, input, expected } of cases) {
    if (!(host in HOSTS)) {
      failures.push({ id, why: `no adapter for ${host}` });
      continue;
    }
    const { restrain, onLate = 'deny', ...rest } = input.verdict;
    const answer = await handleHook({
      host: host as HostName,
      stdin: typeof input.stdin === 'string' ? input.stdin : JSON.stringify(input.stdin),
      // A verdict that is late never comes; one about input that is not understood is never asked for.
      judge: () =>
        restrain === 'late' ? new Promise(() => {}) : Promise.resolve({ restrain, ...rest } as HookVerdict),
      deadlineMs: 20,
      onLate,
    });
    const stdout = answer.stdout === '' ? '' : JSON.parse(answer.stdout);
    const right = answer.exitCode === expected.exitCode && isDeepStrictEqual(stdout, expected.stdout);
    const said = answer.exitCode === 0 || /^[^\n]+\.\n$/.test(answer.stderr);
    if (!right || !said) failures.push({ id, why: JSON.stringify(answer) });
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}
