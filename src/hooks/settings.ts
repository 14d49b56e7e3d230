import type { JsonObject, JsonValue } from '../core/index.ts';
import type { HostName } from './handle.ts';

/** Where a host keeps its hooks, and which of its events ours are for. */
export interface HookFile {
  /** Below the user's home folder. */
  readonly path: readonly string[];
  /** Events, and the tools that each is for; null where the event knows no tools. */
  readonly events: Readonly<Record<string, string | null>>;
  /** The host's own limit, in its unit: it lets the call pass when a hook takes longer. */
  readonly timeout: number;
}

export const HOOK_FILES: Readonly<Record<HostName, HookFile>> = {
  'claude-code': {
    path: ['.claude', 'settings.json'],
    events: { PreToolUse: '*', PostToolUse: '*', UserPromptSubmit: null },
    timeout: 30,
  },
  codex: {
    path: ['.codex', 'hooks.json'],
    events: { PreToolUse: '*', PostToolUse: '*', UserPromptSubmit: null },
    timeout: 30,
  },
  'gemini-cli': {
    path: ['.gemini', 'settings.json'],
    events: { BeforeTool: '*', AfterTool: '*', BeforeAgent: null },
    timeout: 30_000,
  },
};

/** Marks an entry as ours, whatever folder the command stands in. */
const OURS = /\bhook run (?:claude-code|codex|gemini-cli)\b/;

/** The settings with our hooks in them, once each; all else as it was. Throws TypeError for hooks of another shape. */
export function withHooks(settings: JsonObject, host: HostName, command: string): JsonObject {
  const { events, timeout } = HOOK_FILES[host];
  const hooks: Record<string, JsonValue> = { ...objectOf(withoutHooks(settings).hooks ?? {}) };
  for (const [event, matcher] of Object.entries(events)) {
    const entry = { hooks: [{ type: 'command', command, timeout }] };
    hooks[event] = [...listOf(hooks[event]), matcher === null ? entry : { matcher, ...entry }];
  }
  return { ...settings, hooks };
}

/** The settings without our hooks; lists that are empty then are gone, too. */
export function withoutHooks(settings: JsonObject): JsonObject {
  const { hooks, ...rest } = settings;
  if (hooks === undefined) return settings;
  const kept: Record<string, JsonValue> = {};
  for (const [event, groups] of Object.entries(objectOf(hooks))) {
    const others = listOf(groups).flatMap(withoutOurs);
    if (others.length > 0) kept[event] = others;
  }
  return Object.keys(kept).length === 0 ? rest : { ...rest, hooks: kept };
}

/** How many events our hooks are installed for. */
export function findOurs(settings: JsonObject): number {
  const groups = Object.values(objectOf(settings.hooks ?? {})).map(listOf);
  return groups.filter((list) => list.some((group) => withoutOurs(group)[0] !== group)).length;
}

function withoutOurs(group: JsonValue): JsonValue[] {
  const entries = listOf(objectOf(group).hooks);
  const others = entries.filter((entry) => !isOurs(entry));
  if (others.length === entries.length) return [group];
  return others.length === 0 ? [] : [{ ...objectOf(group), hooks: others }];
}

function isOurs(entry: JsonValue): boolean {
  const { command } = objectOf(entry);
  return typeof command === 'string' && OURS.test(command);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new TypeError('the hooks of this file are not in the shape that the host documents');
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw new TypeError('the hooks of this file are not in the shape that the host documents');
}
