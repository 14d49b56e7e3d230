import { z } from 'zod';
import type { Severity } from '../../../core/index.ts';
import type { Leaf, Stateless } from '../rule.ts';
import type { RuleFormat, RuleSource } from './format.ts';
import { namesOfTools } from './tools.ts';

const text = z.string().min(1).max(16_384);
const rule = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  name: text,
  severity: z
    .string()
    .transform((word) => word.toUpperCase())
    .pipe(z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])),
  description: z.string().max(65_536).optional(),
  tools: z.array(text).max(256).nullish(),
  tool_pattern: text.nullish(),
  match: z
    .array(
      z.object({
        field: z.enum(['command', 'file_path', 'pattern', 'output', 'any']).default('any'),
        patterns: z.array(text).max(1000).default([]),
      }),
    )
    .max(256)
    .default([]),
  message: text,
});
type CanaryRule = z.infer<typeof rule>;

/** CanaryAI only tells; so do its rules here: by themselves none of them holds a call in the balanced profile. */
const SCORE: Readonly<Record<CanaryRule['severity'], readonly [Severity, number]>> = {
  CRITICAL: ['critical', 0.6],
  HIGH: ['high', 0.4],
  MEDIUM: ['medium', 0.2],
  LOW: ['low', 0.05],
};

/** The format of jx887/canaryai: one rule or a list of them, Python's expressions, alternatives alone. */
export const CANARYAI: RuleFormat = {
  name: 'canaryai',
  claims: (value) => (Array.isArray(value) ? value.some(looksLikeOne) : looksLikeOne(value)),
  read(source) {
    if (!Array.isArray(source.value)) {
      readRule(source, source.value, []);
      return;
    }
    for (const [index, one] of source.value.entries()) readRule(source, one, [index]);
  },
};

function looksLikeOne(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

function readRule(source: RuleSource, value: unknown, at: readonly number[]): void {
  const line = source.lineOf(at);
  const parsed = rule.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const id = looksLikeOne(value) ? String((value as { readonly id?: unknown }).id).slice(0, 64) : '?';
    source.refuse({ id, title: '', line, reason: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
    return;
  }
  const { id, name, description = '', message } = parsed.data;
  const [level, score] = SCORE[parsed.data.severity];
  source.add({
    id,
    format: 'canaryai',
    title: message.slice(0, 200),
    description: `${name}. ${description}`.trim(),
    severity: level,
    score,
    references: [],
    on: ['call', 'result'],
    match: conditionOf(parsed.data),
    cases: { match: [], pass: [] },
    place: { file: source.file, line },
  });
}

function conditionOf({ tools, tool_pattern, match }: CanaryRule): Stateless {
  const tool: readonly Stateless[] =
    tool_pattern != null
      ? [{ field: 'tool', regex: tool_pattern, dialect: 'python' }]
      : tools != null && tools.length > 0
        ? [{ field: 'tool', oneOf: namesOfTools(tools) }]
        : [];
  const patterns = match.flatMap(({ field, patterns }) =>
    fieldsOf(field).flatMap((name) =>
      patterns.map((regex): Leaf => ({ field: name, regex, dialect: 'python' })),
    ),
  );
  // Without patterns, the tool alone is what the rule is about: its calls, not also their results.
  const what: Stateless = patterns.length > 0 ? { any: patterns } : { field: 'call', regex: '' };
  return tool.length === 0 ? what : { all: [...tool, what] };
}

/** A call's output comes later than the call: it is an event of its own. */
function fieldsOf(field: CanaryRule['match'][number]['field']): readonly string[] {
  switch (field) {
    case 'command':
      return ['args.command', 'args.cmd'];
    case 'file_path':
      return ['args.file_path', 'args.path', 'args.absolute_path', 'args.target_file'];
    case 'pattern':
      return ['args.pattern'];
    case 'output':
      return ['result'];
    case 'any':
      return [...fieldsOf('command'), ...fieldsOf('file_path'), ...fieldsOf('pattern'), 'result'];
  }
}
