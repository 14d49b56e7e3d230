import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { decideFor } from './decide.ts';
import type { PolicySet } from './policy-set.ts';
import { sampleSchema, toSampleRequest } from './sample-call.ts';

const caseSchema = sampleSchema.extend({
  name: z.string().min(1).max(256),
  expect: z.enum(['allow', 'hold', 'deny']),
});
const fileSchema = z.strictObject({ cases: z.array(caseSchema).min(1).max(10_000) });

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
  readonly expected: string;
  readonly got: string;
  readonly reason: string;
}

/** Puts every case of `*.cases.yaml` in a folder to the policies. A file that can't be read is a failed case. */
export async function runCases(
  directory: string,
  set: PolicySet,
  now: number,
): Promise<readonly CaseResult[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.cases.yaml')).sort();
  const results = await Promise.all(files.map((file) => runFile(directory, file, set, now)));
  return results.flat();
}

async function runFile(
  directory: string,
  file: string,
  set: PolicySet,
  now: number,
): Promise<readonly CaseResult[]> {
  const cases = parseCases(await readFile(join(directory, file), 'utf8'));
  if ('fault' in cases) {
    return [
      { file, name: 'the file', passed: false, expected: 'cases', got: 'a fault', reason: cases.fault },
    ];
  }
  return cases.cases.map(({ name, expect, ...sample }) => {
    const { actor, call, risk, now: at } = toSampleRequest(sample, now);
    const { effect, reason } = decideFor(set, actor, call, risk, at);
    return { file, name, passed: effect === expect, expected: expect, got: effect, reason };
  });
}

function parseCases(text: string): z.infer<typeof fileSchema> | { readonly fault: string } {
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) return { fault: error.message };
  try {
    const parsed = fileSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
    return parsed.success ? parsed.data : { fault: z.prettifyError(parsed.error) };
  } catch (cause) {
    return { fault: cause instanceof Error ? cause.message : String(cause) };
  }
}
