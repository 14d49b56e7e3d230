import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repositoryRoot } from '../../support/shared.ts';

it('names every direct dependency, and the reason for it, in the decision record', () => {
  const manifest = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const record = readFileSync(join(repositoryRoot, 'docs/adr/0002-dependencies.md'), 'utf8');
  const names = ['dependencies', 'optionalDependencies', 'devDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}),
  );
  const words = new Set(record.split(/[\s,|]+/));
  expect(
    names.filter(([name]) => !name.startsWith('@types/') && !words.has(name)).map(([name]) => name),
  ).toEqual([]);
  expect(names.filter(([, version]) => !/^\d/.test(version))).toEqual([]);
});
