import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasTest } from '../../support/claims.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = readFileSync(join(repositoryRoot, 'docs/guarantees.md'), 'utf8');
const lines = page.split('\n');

interface Section {
  /** `G1`, `Rule 1`. */
  readonly id: string;
  readonly notYet: boolean;
  readonly claims: readonly { readonly file: string; readonly name: string }[];
}

/** Each `### <id>: …`, with the tests that stand below it: a file, and a line for each of its tests. */
function sections(): readonly Section[] {
  return page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const claims: { file: string; name: string }[] = [];
      let file = '';
      for (const line of text.split(/^## /m)[0]?.split('\n') ?? []) {
        file = /^- `(test\/[^`]+\.test\.ts)`$/.exec(line)?.[1] ?? file;
        const name = /^ {2}- (.+)$/.exec(line)?.[1];
        if (name !== undefined) claims.push({ file, name });
      }
      return { id: text.split(':')[0] ?? '', notYet: text.includes('**Not yet**'), claims };
    });
}

describe('docs/guarantees.md', () => {
  it('has every guarantee and every rule, in order, each with a test', () => {
    const numbered = (word: string, count: number) =>
      Array.from({ length: count }, (_, index) => `${word}${index + 1}`);
    expect(sections().map(({ id }) => id)).toEqual([...numbered('G', 13), ...numbered('Rule ', 16)]);
    expect(sections().filter(({ claims }) => claims.length === 0)).toEqual([]);
  });

  it('names tests that exist and are run', () => {
    const claims = sections().flatMap((section) => section.claims);
    expect(claims.length).toBeGreaterThan(100);
    expect(claims.filter(({ file, name }) => !hasTest(file, name))).toEqual([]);
  });

  it('names for each rule an attack that carries its number', () => {
    for (const { id, claims } of sections().filter((section) => section.id.startsWith('Rule '))) {
      const attack = `${id.toLowerCase()}: `;
      const tried = claims.some(({ file, name }) => file.startsWith('test/attack/') && name.includes(attack));
      expect(tried, id).toBe(true);
    }
  });

  it('has no line in its lists that this test does not read', () => {
    const listed = lines.filter((line) => /^\s*[-*] /.test(line));
    expect(listed.filter((line) => !/^- `test\/[^`]+\.test\.ts`$|^ {2}- \S/.test(line))).toEqual([]);
  });

  it('says in its table what is not kept yet', () => {
    const rows = lines.filter((line) => line.startsWith('| [G'));
    expect(rows.length).toBe(13);
    for (const { id, notYet } of sections().filter((section) => section.id.startsWith('G'))) {
      const row = rows.find((line) => line.startsWith(`| [${id}]`)) ?? '';
      expect(/not yet|no guard model yet/.test(row), row).toBe(notYet);
      const anchor = /\(#([^)]+)\)/.exec(row)?.[1];
      const heading = lines.find((line) => line.startsWith(`### ${id}:`)) ?? '';
      expect(anchor).toBe(anchorOf(heading.slice(4)));
    }
  });

  it('is what the comments of the source speak of', () => {
    const cited = globSync('src/**/*.ts', { cwd: repositoryRoot }).flatMap((file) => {
      const text = readFileSync(join(repositoryRoot, file), 'utf8');
      return [...text.matchAll(/rule (\w+) of[\s*]+docs\/guarantees\.md/g)].map(([, number]) =>
        Number(number),
      );
    });
    expect(cited.length).toBeGreaterThan(5);
    expect(cited.filter((number) => !(number >= 1 && number <= 16))).toEqual([]);
  });
});

/** The anchor that forges make of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} -]/gu, '')
    .replaceAll(' ', '-');
}
