import { z } from 'zod';
import type { Severity } from '../../../core/index.ts';
import type { EventKind, Leaf, Stateless } from '../rule.ts';
import { type AtrCases, caseSchema, casesOf } from './atr-cases.ts';
import { referencesOf } from './atr-references.ts';
import type { RuleFormat, RuleSource } from './format.ts';

const text = z.string().min(1).max(65_536);
const operator = z.enum(['regex', 'contains', 'exact', 'starts_with']);
const condition = z.object({ field: text, operator, value: text });
const named = z.object({
  field: text,
  patterns: z.array(text).min(1).max(1000),
  match_type: operator.default('regex'),
  case_sensitive: z.boolean().default(false),
});
const rule = z.object({
  id: z.string().regex(/^ATR-\d{4}-\d{5}$/, { error: 'is not such as ATR-2026-00001' }),
  title: text,
  status: z.enum(['draft', 'experimental', 'stable', 'deprecated']),
  maturity: z.string().optional(),
  severity: z.enum(['critical', 'high', 'medium', 'low', 'informational']),
  description: z.string().max(65_536).optional(),
  references: z.record(z.string(), z.unknown()).optional(),
  tags: z.object({ confidence: z.string().optional() }).optional(),
  agent_source: z.object({ type: z.string() }),
  detection: z.object({
    method: z.string().default('pattern'),
    condition: z.string().max(2000),
    conditions: z.union([z.array(z.unknown()).max(1000), z.record(z.string(), z.unknown())]),
    semantic: z.object({ fallback_method: z.string().optional() }).optional(),
  }),
  test_cases: z
    .object({
      true_positives: z.array(caseSchema).max(1000).default([]),
      true_negatives: z.array(caseSchema).max(1000).default([]),
    })
    .optional(),
});
type AtrRule = z.infer<typeof rule>;

/** Most rules of the pack call themselves experimental: those hint, and together they may tell. */
const SCORE: Readonly<Record<AtrRule['severity'], readonly [Severity, number]>> = {
  critical: ['critical', 0.6],
  high: ['high', 0.45],
  medium: ['medium', 0.25],
  low: ['low', 0.1],
  informational: ['low', 0.05],
};
const MATURITY: ReadonlyMap<string, number> = new Map([
  ['stable', 1],
  ['test', 0.6],
]);
const CONFIDENCE: ReadonlyMap<string, number> = new Map([
  ['low', 0.5],
  ['medium', 0.8],
]);

/** Agent Threat Rules (Agent-Threat-Rule/agent-threat-rules, spec 1.1): one rule a file, JavaScript's expressions. */
export const ATR: RuleFormat = {
  name: 'atr',
  names: /(^|\/)ATR-\d{4}-\d{5}[^/]*$/,
  claims: (value) => typeof value === 'object' && value !== null && 'detection' in value && 'id' in value,
  read(source) {
    const parsed = rule.safeParse(source.value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const { id } = source.value as { readonly id: unknown };
      const path = issue?.path ?? [];
      source.refuse({
        id: String(id).slice(0, 64),
        title: '',
        line: source.lineOf(path),
        reason: `${path.join('.')}: ${issue?.message ?? ''}`,
      });
      return;
    }
    try {
      readRule(source, parsed.data);
    } catch (cause) {
      if (!(cause instanceof Unsupported)) throw cause;
      refuse(source, parsed.data, cause.message);
    }
  },
};

/** What a rule asks for and rules here don't do. */
class Unsupported extends Error {}

function refuse(source: RuleSource, { id, title }: AtrRule, reason: string): void {
  source.refuse({ id, title, line: source.lineOf(['detection']), reason });
}

function readRule(source: RuleSource, atr: AtrRule): void {
  const { id, title, status, severity, description = '', detection } = atr;
  if (status === 'draft' || status === 'deprecated') throw new Unsupported(`its status is ${status}`);
  const fallback = detection.method === 'semantic' && detection.semantic?.fallback_method === 'pattern';
  if (detection.method !== 'pattern' && !fallback)
    throw new Unsupported(`its method is ${detection.method}, and rules here are of patterns`);
  const on = eventsOf(atr.agent_source.type, fieldNames(detection.conditions));
  const [level, most] = SCORE[severity];
  const sure = MATURITY.get(atr.maturity ?? '') ?? 0.4;
  const confident = CONFIDENCE.get(atr.tags?.confidence ?? '') ?? 1;
  const cases: AtrCases = atr.test_cases ?? { true_positives: [], true_negatives: [] };
  source.add({
    id,
    format: 'atr',
    title: title.slice(0, 200),
    description,
    severity: level,
    score: Math.round(most * sure * confident * 100) / 100,
    references: referencesOf(atr.references ?? {}),
    on,
    match: matchOf(detection),
    cases: casesOf(cases, on),
    place: { file: source.file, line: source.lineOf(['id']) },
  });
}

/** As the pack's own engine takes them: rules for prompts also read results, rules for exchanges also calls. */
function eventsOf(source: string, fields: readonly unknown[]): readonly EventKind[] {
  if (source === 'llm_io') return ['result'];
  // Descriptions of tools come as the result of asking for them, whatever their rules say they are part of.
  const alsoResults = fields.some((field) => typeof field === 'string' && RESULT_FIELDS.has(field));
  return source === 'tool_call' && !alsoResults ? ['call'] : ['call', 'result'];
}

function fieldNames(conditions: AtrRule['detection']['conditions']): readonly unknown[] {
  const all: readonly unknown[] = Array.isArray(conditions) ? conditions : Object.values(conditions);
  return all.map((one) => (typeof one === 'object' && one !== null && 'field' in one ? one.field : null));
}

function matchOf({ conditions, condition: how }: AtrRule['detection']): Stateless {
  if (Array.isArray(conditions)) {
    const parts = conditions.map((one) => {
      const parsed = condition.safeParse(one);
      if (!parsed.success)
        throw new Unsupported('a condition is no test of a field (field, operator, value)');
      const { field, operator: kind, value } = parsed.data;
      return testOf(field, [leafOf(kind, value, false)]);
    });
    return combined(how.toLowerCase(), parts);
  }
  const parts = new Map(
    Object.entries(conditions).map(([name, one]) => {
      const parsed = named.safeParse(one);
      if (!parsed.success)
        throw new Unsupported(`the condition ${name} is no test of a field (field, patterns)`);
      const { field, patterns, match_type, case_sensitive } = parsed.data;
      return [
        name,
        testOf(
          field,
          patterns.map((value) => leafOf(match_type, value, case_sensitive)),
        ),
      ] as const;
    }),
  );
  return expressionOf(how, parts);
}

function combined(how: string, parts: readonly Stateless[]): Stateless {
  if (parts.length === 0) throw new Unsupported('it has no conditions');
  if (how === 'any' || how === 'or') return { any: parts };
  if (how === 'all' || how === 'and') return { all: parts };
  throw new Unsupported(`its condition is "${how}", and a list has any or all`);
}

/** `a AND (b OR NOT c)`: NOT binds before AND, AND before OR. */
function expressionOf(how: string, parts: ReadonlyMap<string, Stateless>): Stateless {
  if (/^(any|or|all|and)$/i.test(how)) return combined(how.toLowerCase(), [...parts.values()]);
  const tokens = how.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const either = (): Stateless => {
    const options = [both()];
    while (tokens[at]?.toUpperCase() === 'OR' && ++at > 0) options.push(both());
    return options.length === 1 && options[0] !== undefined ? options[0] : { any: options };
  };
  const both = (): Stateless => {
    const needed = [one()];
    while (tokens[at]?.toUpperCase() === 'AND' && ++at > 0) needed.push(one());
    return needed.length === 1 && needed[0] !== undefined ? needed[0] : { all: needed };
  };
  const one = (): Stateless => {
    const token = tokens[at++] ?? '';
    if (token.toUpperCase() === 'NOT') return { not: one() };
    if (token === '(') {
      const inner = either();
      if (tokens[at++] !== ')')
        throw new Unsupported(`its condition "${how.slice(0, 80)}" closes no bracket`);
      return inner;
    }
    const part = parts.get(token);
    if (part === undefined) throw new Unsupported(`its condition names ${token.slice(0, 40) || 'nothing'}`);
    return part;
  };
  const whole = either();
  if (at < tokens.length) throw new Unsupported(`its condition "${how.slice(0, 80)}" is no expression`);
  return whole;
}

type Test = Pick<Leaf, 'equals' | 'contains' | 'regex' | 'dialect'>;

function leafOf(kind: z.infer<typeof operator>, value: string, cased: boolean): Test {
  const quoted = value.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const regex = (source: string): Test => ({
    regex: cased ? `(?-i:${source})` : source,
    dialect: 'javascript',
  });
  switch (kind) {
    case 'regex':
      return regex(value);
    case 'contains':
      return cased ? regex(quoted) : { contains: value };
    case 'exact':
      return cased ? { equals: value } : regex(`^${quoted}$`);
    case 'starts_with':
      return regex(`^${quoted}`);
  }
}

/** A field of theirs may be several of ours. */
function testOf(field: string, tests: readonly Test[]): Stateless {
  const leaves = fieldsOf(field).flatMap((name) => tests.map((test): Leaf => ({ field: name, ...test })));
  return { any: leaves };
}

function fieldsOf(field: string): readonly string[] {
  if (field === 'tool_name') return ['tool'];
  if (field === 'tool_args' || field === 'tool_input') return ['call', 'json'];
  if (field === 'content') return ['call', 'json', 'result'];
  if (RESULT_FIELDS.has(field)) return ['result'];
  throw new Unsupported(`there is no field ${field.slice(0, 40)}`);
}

/** On a result, its text is what the model takes in: what a rule says of prompts is asked of it, too. */
const RESULT_FIELDS: ReadonlySet<string> = new Set([
  'tool_response',
  'tool_description',
  'user_input',
  'agent_output',
  'agent_message',
]);
