import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';

const event = z.discriminatedUnion('kind', [
  z.object({ seq: z.int().min(0), kind: z.literal('instruction'), role: z.string(), text: z.string() }),
  z.object({
    seq: z.int().min(0),
    kind: z.literal('call'),
    callId: z.string(),
    tool: z.string(),
    args: z.json().default({}),
  }),
  z.object({ seq: z.int().min(0), kind: z.literal('result'), callId: z.string(), text: z.string() }),
]);

/** One recorded session: what the user said, what the agent called, what came back, in order. No labels. */
export const traceSchema = z.object({
  id: z.string().min(1).max(256),
  source: z.string().optional(),
  tools: z
    .array(
      z.object({
        name: z.string(),
        description: z.string().optional(),
        /** As in MCP's `tools/list`. */
        annotations: z.json().optional(),
      }),
    )
    .default([]),
  events: z.array(event).max(100_000),
});

export type Trace = z.infer<typeof traceSchema>;

export const textSchema = z.object({
  id: z.string().min(1).max(256),
  text: z.string(),
  channel: z.string().default('tool_result'),
});

export type TextItem = z.infer<typeof textSchema>;

/** A line of a file that can't be read; the message names file, line and fault. */
export class TraceError extends Error {
  constructor(file: string, line: number, fault: string) {
    super(`${file}, line ${line}: ${fault}`);
    this.name = 'TraceError';
  }
}

/** The lines of a JSONL file (may be gzip'd), checked. Throws TraceError at the first that is wrong. */
export async function* readLines<T>(file: string, schema: z.ZodType<T>): AsyncIterable<T> {
  const bytes = createReadStream(file);
  const input = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  // A pipe passes no errors on.
  bytes.once('error', (fault) => input.destroy(fault));
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() !== '') yield check(file, number, line, schema);
  }
}

/** All lines of a file that is known to fit into memory. Throws TraceError. */
export async function readAll<T>(file: string, schema: z.ZodType<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const line of readLines(file, schema)) all.push(line);
  return all;
}

function check<T>(file: string, number: number, line: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new TraceError(file, number, cause instanceof Error ? cause.message : 'is no JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new TraceError(file, number, z.prettifyError(parsed.error).replaceAll('\n', ' '));
  return parsed.data;
}
