import type { z } from 'zod';

/** One thing that is wrong with the input of a request. */
export interface Fault {
  readonly in: 'path' | 'query' | 'body';
  /** JSON pointer (RFC 6901) of the member; empty for the whole. */
  readonly pointer: string;
  readonly detail: string;
}

const MAX_FAULTS = 50;
const MAX_KEYS_NAMED = 10;

/** All faults that a schema found, as RFC 9457's example names them. What was sent is never repeated whole. */
export function faultsOf(error: z.ZodError, part: Fault['in']): Fault[] {
  return error.issues.slice(0, MAX_FAULTS).map((issue) => ({
    in: part,
    pointer: issue.path.map((step) => `/${escapeStep(String(step))}`).join(''),
    detail: issue.code === 'unrecognized_keys' ? unknownMembers(issue.keys) : issue.message,
  }));
}

function unknownMembers(keys: readonly string[]): string {
  const named = keys.slice(0, MAX_KEYS_NAMED).map((key) => JSON.stringify(key.slice(0, 64)));
  const rest = keys.length > named.length ? ` and ${keys.length - named.length} more` : '';
  return `not known here: ${named.join(', ')}${rest}`;
}

function escapeStep(step: string): string {
  return step.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}
