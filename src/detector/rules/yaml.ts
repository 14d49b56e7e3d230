import { type Document, isMap, isNode, isScalar, Lexer, LineCounter, parseDocument, visit } from 'yaml';

/** YAML that rules and settings of rules never need: past these, a small file costs the parser seconds. */
const MAX_DEPTH = 64;
const MAX_TOKENS = 100_000;
const MAX_FAULTS = 10;

export interface YamlFault {
  /** Counted from 1; null: the file as a whole. */
  readonly line: number | null;
  readonly what: string;
  readonly remedy: string;
}

export interface ParsedYaml {
  readonly value: unknown;
  /** The line of a member, or of the nearest thing around it. */
  lineOf(path: readonly PropertyKey[]): number;
}

/** One YAML document of a stranger: its value, or what is wrong with it, in time that grows with its length alone. */
export function parseYaml(text: string): ParsedYaml | readonly YamlFault[] {
  const monster = tooDeep(text) ?? tooMany(text);
  if (monster !== null) return [monster];
  const lines = new LineCounter();
  // The parser's own search for members that stand twice takes quadratic time.
  const document = parseDocument(text, { uniqueKeys: false, lineCounter: lines, merge: false });
  if (document.errors.length > 0) {
    return document.errors.slice(0, MAX_FAULTS).map(({ message, linePos }) => ({
      line: linePos?.[0].line ?? null,
      what: `it is no YAML: ${firstLine(message)}`,
      remedy: 'Correct the line.',
    }));
  }
  const twice = membersTwice(document, lines);
  if (twice.length > 0) return twice;
  try {
    // Aliases let a small file stand for gigabytes.
    return { value: document.toJS({ maxAliasCount: 0 }), lineOf: (path) => lineOf(document, lines, path) };
  } catch (cause) {
    const what = cause instanceof Error ? firstLine(cause.message) : String(cause);
    return [
      { line: null, what: `it can not be read: ${what}`, remedy: 'Write out what each alias stands for.' },
    ];
  }
}

export function isFaults(parsed: ParsedYaml | readonly YamlFault[]): parsed is readonly YamlFault[] {
  return Array.isArray(parsed);
}

/** By indentation: each level stands further right than the one around it, or behind dashes of the same line. */
function tooDeep(text: string): YamlFault | null {
  const indents = [-1];
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    const content = line.trimStart();
    if (content === '' || content.startsWith('#')) continue;
    const indent = line.length - content.length;
    while ((indents.at(-1) ?? -1) >= indent) indents.pop();
    indents.push(indent);
    const [markers = ''] = /^(?:[-?:] +)+/.exec(content) ?? [];
    if (indents.length + markers.length / 2 > MAX_DEPTH) return deepFault(number);
  }
  return null;
}

function tooMany(text: string): YamlFault | null {
  let tokens = 0;
  let brackets = 0;
  let line = 1;
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (token.includes('\n')) line += token.split('\n').length - 1;
    if (tokens > MAX_TOKENS)
      return { line, what: `it has more than ${MAX_TOKENS} words`, remedy: 'Cut it into several files.' };
    if (token === '[' || token === '{') brackets += 1;
    else if (token === ']' || token === '}') brackets -= 1;
    if (brackets > MAX_DEPTH) return deepFault(line);
    if (brackets < 0)
      return { line, what: `it is no YAML: ${token} closes nothing`, remedy: 'Correct the line.' };
  }
  return null;
}

function deepFault(line: number): YamlFault {
  return { line, what: `it is nested more than ${MAX_DEPTH} levels deep`, remedy: 'Flatten it.' };
}

function membersTwice(document: Document.Parsed, lines: LineCounter): readonly YamlFault[] {
  const faults: YamlFault[] = [];
  visit(document, {
    Map(_, map) {
      if (!isMap(map)) return;
      const known = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? key.value : key;
        if (known.has(name) && faults.length < MAX_FAULTS) {
          const line = isNode(key) && key.range ? lines.linePos(key.range[0]).line : null;
          faults.push({
            line,
            what: `the member ${String(name)} stands twice`,
            remedy: 'Take one of them out.',
          });
        }
        known.add(name);
      }
    },
  });
  return faults;
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/[:.]$/, '').slice(0, 300);
}
