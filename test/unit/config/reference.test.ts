import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configurationReference } from '../../../src/config/index.ts';
import { repositoryRoot } from '../../support/shared.ts';

it('docs/reference/configuration.md is what the schema says (npm run docs)', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/reference/configuration.md'), 'utf8');
  expect(page).toBe(configurationReference());
});
