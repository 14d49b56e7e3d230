import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { refusalsReference } from '../../../scripts/refusals-page.ts';
import { repositoryRoot } from '../../support/shared.ts';

it('docs/reference/refusals.md is what the code says (npm run docs)', () => {
  expect(readFileSync(join(repositoryRoot, 'docs/reference/refusals.md'), 'utf8')).toBe(refusalsReference());
});
