import { type Call, type JsonValue, LIMITS } from '../core/index.ts';

/** Longest text of one call or result that rules look at: the beginning, and the end of longer ones. */
const RULE_TEXT_CHARS = 64 * 1024;
const TAIL_CHARS = 16 * 1024;

/** What checks see of one call or result; every field is bounded. */
export interface View {
  readonly on: 'call' | 'result';
  /** Fields that rules name: `tool`, `method`, `host`, `path`, `query`, `url`, `body`, `args`, `text`. */
  readonly fields: ReadonlyMap<string, string>;
  /** The arguments of a tool call, for rules that name a path in them. */
  readonly args?: JsonValue;
  /** Host and port, or the tool's name: what "a new destination" is about. */
  readonly destination: string;
}

export function viewCall(call: Call): View {
  if (call.kind === 'tool') {
    const args = bounded(textOf(call.args));
    return {
      on: 'call',
      fields: new Map([
        ['tool', call.tool],
        ['args', args],
        ['text', args],
      ]),
      args: call.args,
      destination: `tool ${call.tool}`,
    };
  }
  const { host, port } = call.origin;
  const query = percentDecoded(call.query.replaceAll('+', ' '));
  const body = call.body.kind === 'buffered' ? bounded(Buffer.from(call.body.bytes).toString('utf8')) : '';
  return {
    on: 'call',
    fields: new Map([
      ['method', call.method],
      ['host', host],
      ['path', percentDecoded(call.path)],
      ['query', query],
      ['url', `${call.origin.scheme}://${host}${call.path}${query === '' ? '' : `?${query}`}`],
      ['body', body],
      ['text', `${query}\n${body}`],
    ]),
    destination: `${host}:${port}`,
  };
}

export function viewResult(tool: string, text: string): View {
  return {
    on: 'result',
    fields: new Map([
      ['tool', tool],
      ['text', bounded(text)],
    ]),
    destination: tool,
  };
}

/** The strings of a JSON value, one a line, without JSON's escapes: what a person would read. */
export function textOf(value: JsonValue): string {
  return linesOf(value, true);
}

/** The same without the names of members: what was put in, not where. */
export function valuesOf(value: JsonValue): string {
  return linesOf(value, false);
}

function linesOf(value: JsonValue, withNames: boolean): string {
  const lines: string[] = [];
  let chars = 0;
  const walk = (one: JsonValue, depth: number): void => {
    if (depth > LIMITS.jsonDepth || chars > RULE_TEXT_CHARS * 4) return;
    if (one !== null && typeof one === 'object') {
      for (const [name, member] of Object.entries(one)) {
        if (withNames && !Array.isArray(one)) lines.push(name);
        walk(member, depth + 1);
      }
      return;
    }
    const line = String(one);
    chars += line.length;
    lines.push(line);
  };
  walk(value, 0);
  return lines.join('\n');
}

function bounded(text: string): string {
  if (text.length <= RULE_TEXT_CHARS) return text;
  return `${text.slice(0, RULE_TEXT_CHARS - TAIL_CHARS)}\n${text.slice(-TAIL_CHARS)}`;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Escapes that are no UTF-8: rules see them as they stand.
    return text;
  }
}
