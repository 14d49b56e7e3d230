import { z } from 'zod';
import type { Case, Condition, EventKind, Sample } from '../rule.ts';
import { isLeaf } from '../rule.ts';
import type { RuleFormat, RuleSource } from './format.ts';
import { type OwnSample, ruleSchema, suppressionSchema } from './sallyport-schema.ts';

const MAX_RULES = 1000;
const entries = z.array(z.unknown()).max(MAX_RULES);
const file = z.strictObject({ rules: entries.optional(), suppressions: entries.optional() });

/** Our own format: `rules:` and `suppressions:`. */
export const SALLYPORT: RuleFormat = {
  name: 'sallyport',
  claims: (value) =>
    typeof value === 'object' && value !== null && ('rules' in value || 'suppressions' in value),
  read(source) {
    const parsed = file.safeParse(source.value);
    if (!parsed.success) {
      report(source, parsed.error, [], null);
      return;
    }
    const { rules = [], suppressions = [] } = parsed.data;
    for (const [index, one] of rules.entries()) readRule(source, one, index);
    for (const [index, one] of suppressions.entries()) readSuppression(source, one, index);
  },
};

function readRule(source: RuleSource, value: unknown, index: number): void {
  const at = ['rules', index] as const;
  const parsed = ruleSchema.safeParse(value);
  if (!parsed.success) {
    report(source, parsed.error, at, idOf(value));
    return;
  }
  const { id, title, description, severity, score, references, on, match, cases } = parsed.data;
  if (!endsOn(match, on)) {
    source.fault({
      line: source.lineOf([...at, 'on']),
      rule: id,
      what: `the last step of a sequence is no ${on}`,
      remedy: `Let the last step look at a ${on}, or set "on" to what it looks at.`,
    });
    return;
  }
  source.add({
    id,
    format: 'sallyport',
    title,
    description: description ?? '',
    severity,
    score,
    references,
    on: [on],
    match,
    cases: {
      match: cases.match.map((one) => toCase(one, on)),
      pass: cases.pass.map((one) => toCase(one, on)),
    },
    place: { file: source.file, line: source.lineOf(at) },
  });
}

/** A sequence is complete at its last step: the rule must look there. */
function endsOn(condition: Condition, on: EventKind): boolean {
  if (isLeaf(condition) || 'count' in condition || 'not' in condition) return true;
  if ('sequence' in condition) return condition.sequence.steps.at(-1)?.on === on;
  return ('all' in condition ? condition.all : condition.any).every((one) => endsOn(one, on));
}

function toCase(samples: readonly OwnSample[], on: EventKind): Case {
  return samples.map((sample) => toSample(sample, on));
}

function toSample({ on, after, times, ...fields }: OwnSample, otherwise: EventKind): Sample {
  return {
    on: on ?? otherwise,
    afterMs: after ?? 1000,
    times: times ?? 1,
    fields: new Map(Object.entries(fields)),
  };
}

function readSuppression(source: RuleSource, value: unknown, index: number): void {
  const at = ['suppressions', index] as const;
  const parsed = suppressionSchema.safeParse(value);
  if (!parsed.success) {
    report(source, parsed.error, at, null);
    return;
  }
  const { rules, agents = [], services = [], expires, reason } = parsed.data;
  source.suppress({
    rules,
    agents,
    services,
    expiresAt: expires === undefined ? null : Date.parse(expires),
    reason,
    place: { file: source.file, line: source.lineOf(at) },
  });
}

function report(
  source: RuleSource,
  error: z.ZodError,
  at: readonly PropertyKey[],
  rule: string | null,
): void {
  for (const { message, path } of error.issues) {
    source.fault({
      line: source.lineOf([...at, ...path]),
      rule,
      what: `${path.length === 0 ? 'it' : path.map(String).join('.')}: ${message}`,
      remedy: 'See docs/reference/detector.md, "Rules".',
    });
  }
}

function idOf(value: unknown): string | null {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : null;
  return typeof id === 'string' ? id.slice(0, 64) : null;
}
