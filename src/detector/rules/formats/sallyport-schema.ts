import { z } from 'zod';
import { DURATION, milliseconds } from '../duration.ts';
import { isFieldPath } from '../field-path.ts';
import type { Condition, Except, Leaf, Stateless } from '../rule.ts';

/** Fields of a call or result that a rule can name; see view.ts. */
export const FIELDS = ['tool', 'method', 'host', 'path', 'query', 'url', 'body', 'args', 'text'] as const;

const text = z.string().min(1).max(4096);
const names = z.array(z.string().min(1).max(256)).min(1).max(1000);
const NAMES: ReadonlySet<string> = new Set(FIELDS);
export const field = z.string().refine((name) => NAMES.has(name) || isFieldPath(name), {
  error: `is not a field: ${FIELDS.join(', ')}, or a path such as args.command, args.*, body.items[].url`,
});
const duration = z
  .string()
  .regex(DURATION, { error: 'is not a duration such as 30s, 15m, 2h or 7d' })
  .transform(milliseconds)
  .refine((ms) => ms <= 7 * 86_400_000, { error: 'is longer than 7d' });
const on = z.enum(['call', 'result']);

const host = z.string().regex(/^(\*\.)?[a-z0-9_:-]+(\.[a-z0-9_-]+)*$/i, {
  error: 'is not a host name such as example.com or *.example.com',
});
const except: z.ZodType<Except> = z
  .strictObject({
    hosts: z.array(host).min(1).max(1000).optional(),
    values: names.optional(),
    regex: text.optional(),
  })
  .refine((one) => Object.keys(one).length > 0, { error: 'needs hosts, values or regex' })
  .transform((one) => defined<Except>(one));

const leaf: z.ZodType<Leaf> = z
  .strictObject({
    field,
    equals: text.optional(),
    oneOf: z.array(text).min(1).max(1000).optional(),
    contains: text.optional(),
    regex: text.optional(),
    words: z.array(z.string().min(2).max(100)).min(1).max(100).optional(),
    except: except.optional(),
    encodings: z.boolean().optional(),
  })
  .refine(
    (one) =>
      [one.equals, one.oneOf, one.contains, one.regex].filter((test) => test !== undefined).length === 1,
    { error: 'needs exactly one of equals, oneOf, contains, regex' },
  )
  .refine((one) => one.regex !== undefined || (one.words === undefined && one.except === undefined), {
    error: 'words and except stand beside a regex alone',
  })
  .transform((one) => defined<Leaf>(one));

const MAX_BRANCHES = 64;
const MAX_STEPS = 8;
const MAX_COUNT = 256;

/** What a condition is, told by its first word; so a fault is told for that kind alone. */
function conditionSchema(several: boolean): z.ZodType<Condition> {
  const inner = z.lazy(() => (several ? condition : stateless));
  const kinds: ReadonlyMap<string, z.ZodType<Condition>> = new Map<string, z.ZodType<Condition>>([
    ['field', leaf],
    ['all', z.strictObject({ all: z.array(inner).min(1).max(MAX_BRANCHES) })],
    ['any', z.strictObject({ any: z.array(inner).min(1).max(MAX_BRANCHES) })],
    // A condition over several events does not stand under `not`: it would hold at nearly every event.
    ['not', z.strictObject({ not: z.lazy(() => stateless) })],
    ...(several ? SEVERAL : []),
  ]);
  return z.unknown().transform((value, context): Condition => {
    const kind = kindOf(value, kinds);
    const parsed = kind?.safeParse(value);
    if (parsed?.success === true) return parsed.data;
    if (parsed === undefined) {
      context.addIssue({ code: 'custom', message: `is none of ${[...kinds.keys()].join(', ')}` });
    } else {
      for (const { message, path } of parsed.error.issues)
        context.addIssue({ code: 'custom', message, path });
    }
    return z.NEVER;
  });
}

function kindOf(value: unknown, kinds: ReadonlyMap<string, z.ZodType<Condition>>) {
  if (typeof value !== 'object' || value === null) return undefined;
  return [...kinds].find(([name]) => Object.hasOwn(value, name))?.[1];
}

const SEVERAL: readonly (readonly [string, z.ZodType<Condition>])[] = [
  [
    'sequence',
    z
      .strictObject({
        sequence: z.strictObject({
          within: duration,
          calls: z.int().min(1).max(1000).optional(),
          steps: z
            .array(z.strictObject({ on: on.default('call'), match: z.lazy(() => stateless) }))
            .min(2)
            .max(MAX_STEPS),
        }),
      })
      .transform(({ sequence: { within, calls, steps } }) => ({
        sequence: { withinMs: within, withinCalls: calls ?? null, steps },
      })),
  ],
  [
    'count',
    z
      .strictObject({
        count: z.strictObject({
          atLeast: z.int().min(2).max(MAX_COUNT),
          within: duration,
          distinct: field.optional(),
          match: z.lazy(() => stateless),
        }),
      })
      .transform(({ count: { atLeast, within, distinct, match } }) => ({
        count: { atLeast, withinMs: within, distinct: distinct ?? null, match },
      })),
  ],
];

const condition: z.ZodType<Condition> = conditionSchema(true);
const stateless: z.ZodType<Stateless> = conditionSchema(false) as z.ZodType<Stateless>;

/** Only what is there: a member that is `undefined` is none. */
function defined<T extends object>(value: Record<string, unknown>): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}

const sample = z
  .object({
    on: on.optional(),
    after: duration.optional(),
    times: z.int().min(1).max(MAX_COUNT).optional(),
  })
  .catchall(z.union([z.string().max(8192), z.record(z.string(), z.json()), z.array(z.json())]))
  .refine((one) => Object.keys(one).every((key) => KNOWN_IN_SAMPLES.has(key)), {
    error: `names a member that is none of ${FIELDS.join(', ')}, on, after, times`,
  });
const KNOWN_IN_SAMPLES: ReadonlySet<string> = new Set([...FIELDS, 'on', 'after', 'times']);
const oneCase = z.union([
  z.strictObject({ events: z.array(sample).min(1).max(32) }).transform(({ events }) => events),
  sample.transform((one) => [one]),
]);

/** Ids of the catalogues that findings refer to. */
const reference = z
  .string()
  .regex(
    /^(OWASP-ASI:ASI(0[1-9]|10)|OWASP-LLM:LLM(0[1-9]|10)|ATLAS:AML\.T\d{4}(\.\d{3})?|ATTACK:T\d{4}(\.\d{3})?|CVE-\d{4}-\d{4,7}|CWE-\d{1,5}|https:\/\/\S{1,200})$/,
    {
      error:
        'is not such as OWASP-ASI:ASI02, OWASP-LLM:LLM01, ATLAS:AML.T0051.001, ATTACK:T1059, CVE-2025-6514',
    },
  );

export const ruleSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, { error: 'is not of small letters, digits and dashes' }),
  title: text,
  description: text.optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
  /** 0 to 1: how sure the rule is that the agent is compromised. */
  score: z.number().gt(0).max(1),
  references: z.array(reference).max(16).default([]),
  on,
  match: condition,
  /** Checked when the rule is loaded. */
  cases: z.strictObject({
    match: z.array(oneCase).min(1).max(100),
    pass: z.array(oneCase).min(1).max(100),
  }),
});

export const suppressionSchema = z.strictObject({
  rules: names,
  agents: names.optional(),
  services: names.optional(),
  /** The day or the time at which it ends (ISO 8601). */
  expires: z.union([z.iso.date(), z.iso.datetime()]).optional(),
  reason: text,
});

export type OwnSample = z.infer<typeof sample>;
