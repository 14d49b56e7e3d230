import { readFileSync } from 'node:fs';
import { parseUrl } from '../../src/gateway/egress/url.ts';
import type { VectorResult } from './main.ts';

interface Case {
  readonly id: string;
  readonly input: string;
  readonly base: string | null;
  readonly expected: { readonly failure?: true } & Readonly<Record<string, string | true>>;
}

export async function run(path: string): Promise<VectorResult> {
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] };
  const failures = cases.flatMap((one) => {
    const why = faultOf(one);
    return why === null ? [] : [{ id: one.id, why }];
  });
  return { passed: cases.length - failures.length, total: cases.length, failures };
}

function faultOf({ input, base, expected }: Case): string | null {
  const url = parseUrl(input, base ?? undefined);
  if (expected.failure === true) return url === null ? null : `parsed as ${url.href}`;
  if (url === null) return 'did not parse';
  for (const [name, value] of Object.entries(expected)) {
    const got: unknown = Reflect.get(url, name);
    if (got !== value) return `${name} is ${String(got)}`;
  }
  return null;
}
