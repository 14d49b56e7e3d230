import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from './canonical.ts';
import { type Checkpoint, CheckpointFault, parseCheckpoint } from './checkpoint.ts';
import { type Line, readLines } from './lines.ts';
import { CHECKPOINTS } from './segments.ts';

export function checkpointFile(directory: string): string {
  return join(directory, CHECKPOINTS);
}

export function formatCheckpointLine(checkpoint: Checkpoint): string {
  return `${canonicalJson({ note: checkpoint.note })}\n`;
}

/** Reads one line of the file; throws CheckpointFault. */
export function parseCheckpointLine(text: string | null): Checkpoint {
  const note = text === null ? null : noteIn(text);
  if (note === null) throw new CheckpointFault('the line does not hold a checkpoint');
  return parseCheckpoint(note);
}

/** The lines of the file as it stands; none when there is no file. */
export async function* readCheckpointLines(directory: string): AsyncGenerator<Line> {
  const file = checkpointFile(directory);
  if (!existsSync(file)) return;
  for await (const batch of readLines(file)) yield* batch;
}

export function isWholeCheckpointLine(bytes: Buffer): boolean {
  return noteIn(bytes.toString('utf8')) !== null;
}

/** Null unless the line is exactly what `formatCheckpointLine` writes around a note. */
function noteIn(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('note' in value)) return null;
    if (typeof value.note !== 'string') return null;
    return canonicalJson({ note: value.note }) === text ? value.note : null;
  } catch {
    return null;
  }
}
