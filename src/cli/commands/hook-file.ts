import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { JsonObject } from '../../core/index.ts';
import { HOOK_FILES, HOSTS, type HostName, isHostName } from '../../hooks/index.ts';
import type { OptionSpec } from '../command.ts';
import { stateFault, usageFault } from '../fault.ts';

export const HOST_NAMES = `One of ${Object.keys(HOSTS).join(', ')}.`;

const WHEN_LATE = ['deny', 'ask', 'none'] as const;

export type WhenLate = (typeof WHEN_LATE)[number];

export const WHEN_LATE_OPTION = {
  type: 'string',
  value: 'VERDICT',
  help: 'What to say when the gate can not be asked in time: deny (default), ask or none.',
} as const satisfies OptionSpec;

export const FILE_OPTION = {
  type: 'string',
  value: 'FILE',
  help: 'Settings file; default: the one in your home folder.',
} as const satisfies OptionSpec;

/** Throws CliFault for a host that has no hooks of ours. */
export function hostNamed(name: string): HostName {
  if (!isHostName(name)) throw usageFault(`${JSON.stringify(name)} is no host; ${HOST_NAMES}`);
  return name;
}

/** Throws CliFault for a verdict that is none. */
export function whenLateOf(value: string | undefined): WhenLate {
  const found = WHEN_LATE.find((verdict) => verdict === (value ?? 'deny'));
  if (found === undefined) throw usageFault(`--when-late is one of ${WHEN_LATE.join(', ')}.`);
  return found;
}

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
