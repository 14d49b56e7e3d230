import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasTest } from '../../support/claims.ts';
import { repositoryRoot } from '../../support/shared.ts';

test('each thing that can go wrong in docs/operation.md names tests that exist and are run', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/operation.md'), 'utf8');
  const [, section = ''] = page.split(/^## When things go wrong$/m);
  const entries = section.split(/^\*\*/m).slice(1);
  expect(entries.length).toBeGreaterThan(10);
  for (const entry of entries) {
    let file = '';
    const claims: { file: string; name: string }[] = [];
    for (const line of entry.split('\n')) {
      file = /^- `(test\/[^`]+\.test\.ts)`$/.exec(line)?.[1] ?? file;
      const name = /^ {2}- (.+)$/.exec(line)?.[1];
      if (name !== undefined) claims.push({ file, name });
    }
    expect(claims.length, entry).toBeGreaterThan(0);
    expect(claims.filter((claim) => !hasTest(claim.file, claim.name))).toEqual([]);
  }
});
