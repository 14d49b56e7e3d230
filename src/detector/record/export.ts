import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { JsonValue } from '../../core/index.ts';
import { readLines } from '../replay/trace.ts';

const recorded = z.looseObject({
  at: z.number(),
  sid: z.string(),
  kind: z.enum(['instruction', 'call', 'result']),
  callId: z.string(),
  tool: z.string(),
  args: z.json(),
  text: z.string(),
});

type Event =
  | { readonly kind: 'instruction'; readonly role: 'user'; readonly text: string }
  | { readonly kind: 'call'; readonly callId: string; readonly tool: string; readonly args: JsonValue }
  | { readonly kind: 'result'; readonly callId: string; readonly text: string };

/** A session as `detector replay` reads it. */
export interface ExportedTrace {
  readonly id: string;
  readonly source: 'recorded';
  readonly tools: readonly { readonly name: string }[];
  readonly events: readonly (Event & { readonly seq: number })[];
}

/**
 * The sessions of a folder of recordings, in the order in which they began. Throws TraceError at a line that is none.
 */
export async function exportTraces(
  directory: string,
  o: { readonly sid?: string; readonly since?: number },
): Promise<readonly ExportedTrace[]> {
  const sessions = new Map<string, Event[]>();
  for (const name of (await readdir(directory)).filter((one) => one.endsWith('.jsonl')).sort()) {
    for await (const line of readLines(join(directory, name), recorded)) {
      if (line.at < (o.since ?? 0) || (o.sid !== undefined && line.sid !== o.sid)) continue;
      const events = sessions.get(line.sid) ?? [];
      sessions.set(line.sid, events);
      events.push(eventOf(line));
    }
  }
  return [...sessions].map(([id, events]) => ({
    id,
    source: 'recorded',
    tools: [...new Set(events.flatMap((event) => (event.kind === 'call' ? event.tool : [])))].map((name) => ({
      name,
    })),
    events: events.map((event, seq) => ({ seq, ...event })),
  }));
}

function eventOf({ kind, callId, tool, args, text }: z.infer<typeof recorded>): Event {
  switch (kind) {
    case 'instruction':
      return { kind, role: 'user', text };
    case 'call':
      return { kind, callId, tool, args };
    case 'result':
      return { kind, callId, text };
  }
}
