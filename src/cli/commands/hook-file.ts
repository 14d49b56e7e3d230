import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { JsonObject } from '../../core/index.ts';
import { HOOK_FILES, type HostName } from '../../hooks/index.ts';
import { stateFault } from '../fault.ts';

const object: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** The file that a host reads its hooks from. */
export function hookFile(host: HostName, given: string | undefined): string {
  return given ?? join(homedir(), ...HOOK_FILES[host].path);
}

/** The settings of a host; null: there is no such file. Throws CliFault for a file that is no JSON object. */
function readSettings(file: string): JsonObject | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw stateFault(`${file} can not be read.`, undefined, cause);
  }
  try {
    return object.parse(text.trim() === '' ? {} : JSON.parse(text));
  } catch (cause) {
    throw stateFault(
      `${file} is no JSON object; nothing was changed.`,
      'Mend the file and try again.',
      cause,
    );
  }
}

/** Changes a host's settings, or says why they stay as they are. `null` from `change` writes nothing. */
export function changeSettings(file: string, change: (settings: JsonObject) => JsonObject | null): void {
  try {
    const changed = change(readSettings(file) ?? {});
    if (changed !== null) writeSettings(file, changed);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw stateFault(
      `${file}: ${cause.message}; nothing was changed.`,
      'Mend the file and try again.',
      cause,
    );
  }
}

/** Puts the settings in place at once: a host that reads them meanwhile sees the old or the new ones. */
function writeSettings(file: string, settings: JsonObject): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const draft = `${file}.${randomBytes(6).toString('hex')}.new`;
    writeFileSync(draft, `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx', mode: modeOf(file) });
    renameSync(draft, file);
  } catch (cause) {
    throw stateFault(`${file} can not be written.`, undefined, cause);
  }
}

function modeOf(file: string): number {
  return (statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777;
}
