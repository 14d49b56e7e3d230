import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminApiReference, openApiReference } from '../../../src/admin/index.ts';
import { cliReference } from '../../../src/cli/reference.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = (name: string): string => readFileSync(join(repositoryRoot, 'docs', 'reference', name), 'utf8');

describe('the reference pages', () => {
  it('docs/reference/cli.md is what the table of verbs says (npm run docs)', async () => {
    expect(page('cli.md')).toBe(await cliReference());
  });

  it('docs/reference/admin-api.md and openapi.json are what the table of routes says (npm run docs)', () => {
    expect(page('admin-api.md')).toBe(adminApiReference());
    expect(page('openapi.json')).toBe(openApiReference());
  });
});
