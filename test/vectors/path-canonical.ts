import { readFileSync } from 'node:fs';
import { Refusal } from '../../src/core/index.ts';
import { canonicalPath } from '../../src/gateway/ingress/canonical-path.ts';
import { canonicalQuery, splitTarget } from '../../src/gateway/ingress/target.ts';
import type { VectorResult } from './main.ts';

interface Case {
  readonly id: string;
  readonly input: string;
  readonly prefix: string;
  readonly expected:
    | { readonly result: 'refuse' }
    | { readonly result: 'outside'; readonly path: string | null }
    | {
        readonly result: 'inside';
        readonly path: string;
        readonly pathAlso?: string;
        readonly mayRefuse: boolean;
      };
}

/** The same three calls, in the same order, by which every door makes the target of a call. */
export async function run(path: string): Promise<VectorResult> {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] };
  const failures = cases.flatMap((one) => {
    const why = faultOf(one);
    return why === null ? [] : [{ id: one.id, why: `${JSON.stringify(one.input.slice(0, 80))} ${why}` }];
  });
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

function faultOf({ input, prefix, expected }: Case): string | null {
  const got = canonical(input);
  switch (expected.result) {
    case 'refuse':
      return got === null ? null : `was taken as ${got}`;
    case 'outside':
      if (got === null) return null;
      if (got !== expected.path) return `became ${got}, not ${expected.path}`;
      return isInside(got, prefix) ? `became ${got}, which is inside ${prefix}` : null;
    case 'inside':
      if (got === null) return expected.mayRefuse ? null : 'was refused';
      if (got !== expected.path && got !== expected.pathAlso) return `became ${got}, not ${expected.path}`;
      return canonical(got) === got ? null : 'is not stable';
  }
}

function isInside(path: string, prefix: string): boolean {
  return prefix === '/' ? false : path.startsWith(prefix) || `${path}/` === prefix;
}

function canonical(input: string): string | null {
  try {
    const { path, query } = splitTarget(input);
    canonicalQuery(query);
    return canonicalPath(path, { encodedSlash: 'refuse' });
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
