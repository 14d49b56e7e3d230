import type { JsonObject, JsonValue } from '../../core/index.ts';

/** What a text must be for a decoy to look at home in it. */
export type DecoyContent = 'env-file' | 'json-list' | 'not-found';

/** A decoy, as it is laid out. */
export interface Bait {
  readonly name: string;
  readonly value: string;
}

const MAX_CHARS = 64 * 1024;
const SETTING = /^(?:export )?[A-Z][A-Z0-9_]{1,60}=.*$/gm;
const MIN_SETTINGS = 2;
/** Members of a record that a secret may stand in, in the order in which they are preferred. */
const SECRET_MEMBER = /(?:secret|token|api_?key|access_?key|password|credential)/i;
const NAME_MEMBER = /^(?:name|title|label|username|user|email)$/i;

/**
 * The text with a decoy in it that looks at home there; null when the text is not of that kind, or has no place for one:
 * then nothing is changed. What stood there before stays as it was.
 */
export function plantInText(text: string, content: DecoyContent, bait: Bait): string | null {
  if (text.length > MAX_CHARS) return null;
  switch (content) {
    case 'env-file':
      return inEnvFile(text, bait);
    case 'json-list':
      return inJsonList(text, bait);
    case 'not-found':
      return inNotFound(text, bait);
  }
}

function inEnvFile(text: string, { name, value }: Bait): string | null {
  if ((text.match(SETTING) ?? []).length < MIN_SETTINGS) return null;
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  return `${text}${text.endsWith('\n') ? '' : lineEnd}${settingName(name)}=${value}${lineEnd}`;
}

/** A list of records gets one more, made like the last one. */
function inJsonList(text: string, bait: Bait): string | null {
  const root = parse(text);
  if (Array.isArray(root)) return withRecord(root, bait, (list) => list);
  if (!isObject(root)) return null;
  const lists = Object.entries(root).filter(([, member]) => Array.isArray(member));
  const [only] = lists;
  if (lists.length !== 1 || only === undefined) return null;
  return withRecord(only[1] as readonly JsonValue[], bait, (list) => ({ ...root, [only[0]]: list }));
}

function withRecord(
  list: readonly JsonValue[],
  { name, value }: Bait,
  within: (list: readonly JsonValue[]) => JsonValue,
): string | null {
  const last = list.at(-1);
  if (!isObject(last)) return null;
  const place = Object.keys(last).find((member) => SECRET_MEMBER.test(member));
  // A secret where its neighbours have none would be seen for what it is.
  if (place === undefined || typeof last[place] !== 'string') return null;
  const members = Object.entries(last).map(([member, one]): [string, JsonValue] => {
    if (member === place) return [member, value];
    if (NAME_MEMBER.test(member) && typeof one === 'string') return [member, name];
    return [member, typeof one === 'number' && /^id$/i.test(member) ? one + 1 : one];
  });
  return JSON.stringify(within([...list, Object.fromEntries(members)]));
}

/** A page that is not there shows what its maker forgot to take out. */
function inNotFound(text: string, { name, value }: Bait): string | null {
  const note = `<!-- ${settingName(name)}=${value} -->`;
  const end = text.search(/<\/(?:body|html)>/i);
  if (end >= 0) return `${text.slice(0, end)}${note}\n${text.slice(end)}`;
  const root = parse(text);
  if (isObject(root)) return JSON.stringify({ ...root, debug: { [settingName(name).toLowerCase()]: value } });
  return null;
}

function settingName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]+/g, '_');
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
