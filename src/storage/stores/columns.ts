import { sql } from 'kysely';
import { z } from 'zod';
import { StorageFault } from '../fault.ts';

/** Values of JSON columns, written and read with the same shape; anything else in the column is an error. */
export function json<T>(shape: z.ZodType<T>): z.ZodType<T> {
  return z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue({ code: 'custom', message: 'not JSON' });
        return z.NEVER;
      }
    })
    .pipe(shape);
}

export const jsonObject = z.record(z.string(), z.json());
export const strings = z.array(z.string());

/** SQLite has no booleans. */
export const flag = z.literal([0, 1]).transform((value) => value === 1);

export const severity = z.enum(['low', 'medium', 'high', 'critical']);

/** A Buffer (PostgreSQL) and a plain array (SQLite) become the same thing. */
export const bytes = z
  .instanceof(Uint8Array)
  .transform((value) => new Uint8Array(value.buffer, value.byteOffset, value.byteLength));

/**
 * A constant of ours written into the query's text. A partial index serves only a query whose text repeats the
 * index's condition: SQLite can't know what a parameter will be.
 */
export function literal<Value extends string | number>(value: Value) {
  return sql.lit(value);
}

/** Reads rows of one table strictly: what an intruder or a fault wrote there never becomes a record. */
export function rowReader<T>(table: string, shape: z.ZodType<T>): RowReader<T> {
  const one = (row: unknown): T => {
    const parsed = shape.safeParse(row);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new StorageFault(`table ${table}`, `a row is not what was written (${faults.join('; ')})`);
  };
  return {
    one,
    optional: (row) => (row === undefined ? null : one(row)),
    many: (rows) => rows.map(one),
  };
}

export interface RowReader<T> {
  one(row: unknown): T;
  /** Null for no row. */
  optional(row: unknown): T | null;
  many(rows: readonly unknown[]): T[];
}
