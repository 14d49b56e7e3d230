import type { z } from 'zod';
import { type JsonObject, Refusal } from '../../core/index.ts';

/** Parses options from outside; all faults at once, as Refusal `input_invalid`. */
export function parseWith<T extends JsonObject>(shape: z.ZodType<T>, options: JsonObject): T {
  const parsed = shape.safeParse(options);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => `options.${path.join('.')}: ${message}`);
  throw new Refusal('input_invalid', { detail: errors.join('; '), extra: { errors } });
}
