import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../core/index.ts';

/** Text that stands on one line of a terminal or a log: no control characters, no line or direction tricks. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u, 'must not hold control or invisible characters')
    .meta({ examples: ['platform-team'] });

export const serviceName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and dash; begins with a letter or digit')
  .meta({ examples: ['github'] });

export const itemName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be 1 to 63 of a-z, 0-9, dot, dash and underscore; begins with a letter or digit',
  )
  .meta({ examples: ['builder'] });

/** Our own ids, and those of clients that were registered by other means. */
export const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/, 'must be an id: 1 to 128 letters, digits, . _ ~ -')
  .meta({ examples: ['builder'] });

export const scope = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9-]{0,62}:[a-z0-9][a-z0-9._-]{0,62}$/,
    'must be <service>:<access>, such as github:read',
  )
  .meta({ examples: ['github:read'] });

export const scopes = z
  .array(scope)
  .max(100)
  .refine((list) => new Set(list).size === list.length, 'must not name a scope twice');

export const severity = z.enum(['low', 'medium', 'high', 'critical']);

export const reason = line(500).nullable().default(null);

export const pem = z
  .string()
  .max(64 * 1024)
  .startsWith('-----BEGIN CERTIFICATE-----', 'must be a certificate in PEM form')
  .meta({ examples: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'] });

/** The registry of services reads it: what counts as an origin is decided in one place. */
export const origin = line(300).meta({ examples: ['https://api.example.com'] });

/** Milliseconds since the epoch. */
export const moment = z
  .int()
  .min(0)
  .max(8_640_000_000_000_000)
  .meta({ examples: [1_795_000_000_000] });

export const jsonObject: z.ZodType<JsonObject> = z.record(
  z.string(),
  z.custom<JsonValue>(() => true),
);

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(100).describe('How many items at most.'),
  cursor: z.string().min(1).max(600).nullable().default(null).describe('The `next` of the page before.'),
});

/** What a list answers: `next` is the cursor of the following page, or null when there is none. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item).readonly(), next: z.string().nullable() });

export const named = z.strictObject({ name: itemName });
export const identified = z.strictObject({ id: identifier });
export const empty = z.null();
