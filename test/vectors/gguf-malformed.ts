import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { buildGuardTest } from '../support/guard-test.ts';
import type { VectorResult } from './main.ts';

const fileSchema = z.object({
  cases: z.array(
    z.object({
      id: z.string(),
      gzipBase64: z.string(),
      size: z.number(),
      expected: z.enum(['rejected', 'loads', 'any clear answer']),
    }),
  ),
});
type Case = z.infer<typeof fileSchema>['cases'][number];

const answerSchema = z.object({
  status: z.string(),
  sentence: z.string(),
  ms: z.number(),
  peakKilobytes: z.number(),
});

/** "Well under a second" on a machine that does nothing else; a hang is a hang on any. */
const HANG_MS = 20_000;
/** A program that has opened nothing takes a few MB; a file may cost a small multiple of its size on top. */
const BASE_KILOBYTES = 64 * 1024;
const TIMES_SIZE = 16;

/** Each file is opened by the native engine in a process of its own: a crash is one failure, and named. */
export async function run(path: string): Promise<VectorResult | { readonly skipped: string }> {
  const built = buildGuardTest();
  if ('missing' in built) return { skipped: built.missing };
  const { cases } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gguf-'));
  const failures: { id: string; why: string }[] = [];
  try {
    for (const one of cases) {
      const file = join(folder, 'model.gguf');
      const bytes = gunzipSync(Buffer.from(one.gzipBase64, 'base64'));
      if (bytes.length !== one.size) throw new Error(`${one.id} is not as large as it says`);
      writeFileSync(file, bytes);
      const why = faultOf(one, await open(built.program, file));
      if (why !== null) failures.push({ id: one.id, why });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

function open(program: string, file: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(program, ['open', file], { timeout: HANG_MS }, (fault, stdout, stderr) =>
      resolve({ code: fault === null ? 0 : (fault.signal ?? fault.code), stdout, stderr }),
    );
  });
}

function faultOf(one: Case, o: { code: unknown; stdout: string; stderr: string }): string | null {
  if (o.code !== 0) return `the process ended with ${String(o.code)} ${o.stderr.slice(0, 200)}`;
  const { status, sentence, peakKilobytes } = answerSchema.parse(JSON.parse(o.stdout));
  if (peakKilobytes > BASE_KILOBYTES + (TIMES_SIZE * one.size) / 1024) return `it took ${peakKilobytes} kB`;
  const loads = status === 'ok';
  if (one.expected === 'loads' && !loads) return `refused: ${sentence}`;
  if (one.expected === 'rejected' && loads) return 'was taken for a good file';
  if (!loads && sentence.length < 10) return `refused without a reason (${status})`;
  return null;
}
