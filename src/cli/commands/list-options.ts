import type { OptionSpecs } from '../command.ts';
import { usageFault } from '../fault.ts';

/** Every list pages through by itself; `--limit` stops earlier. */
export const LIST_OPTIONS = {
  limit: { type: 'string', value: 'COUNT', help: 'How many at most; default: all.' },
} as const satisfies OptionSpecs;

/** The number behind `--limit`; infinite without one. Throws CliFault `usage`. */
export function limitOf({ limit }: { readonly limit: string | undefined }): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(limit)) return Number(limit);
  throw usageFault('--limit is a number from 1 on.');
}
