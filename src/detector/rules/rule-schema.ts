import { z } from 'zod';

/** Fields of a call or result that a rule can name; see view.ts. */
export const FIELDS = ['tool', 'method', 'host', 'path', 'query', 'url', 'body', 'args', 'text'] as const;

const text = z.string().min(1).max(4096);
const field = z.enum(FIELDS);

const leaf = z
  .strictObject({
    field,
    equals: text.optional(),
    oneOf: z.array(text).min(1).max(1000).optional(),
    /** Case is ignored. */
    contains: text.optional(),
    /** RE2 syntax; case is ignored; needs `words`. */
    regex: text.optional(),
    /** At least one of these stands, in any case, in whatever the regex matches: a cheap look before it runs. */
    words: z.array(z.string().min(2).max(100)).min(1).max(100).optional(),
  })
  .refine(
    (one) =>
      [one.equals, one.oneOf, one.contains, one.regex].filter((test) => test !== undefined).length === 1,
    { error: 'needs exactly one of equals, oneOf, contains, regex' },
  )
  .refine((one) => (one.regex === undefined) === (one.words === undefined), {
    error: 'regex and words stand together',
  });

export type Leaf = z.infer<typeof leaf>;
export type Condition =
  | Leaf
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition };

const MAX_BRANCHES = 64;

export const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    leaf,
    z.strictObject({ all: z.array(conditionSchema).min(1).max(MAX_BRANCHES) }),
    z.strictObject({ any: z.array(conditionSchema).min(1).max(MAX_BRANCHES) }),
    z.strictObject({ not: conditionSchema }),
  ]),
);

const sample = z.partialRecord(field, z.string().max(8192));

export const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  title: text,
  description: text.optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  /** 0 to 1: how sure the rule is that the agent is compromised. */
  score: z.number().gt(0).max(1),
  references: z.array(text).max(16).default([]),
  on: z.enum(['call', 'result']),
  match: conditionSchema,
  /** Checked when the rule is loaded. */
  cases: z.strictObject({ match: z.array(sample).min(1), pass: z.array(sample).min(1) }),
});

export type Rule = z.infer<typeof ruleSchema>;
export const ruleFileSchema = z.strictObject({ rules: z.array(ruleSchema).min(1).max(1000) });
