// npm run docs: writes the reference pages that follow from code. Tests compare them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminApiReference, openApiReference } from '../src/admin/index.ts';
import { cliReference } from '../src/cli/reference.ts';
import { PROGRAM_ROOT } from '../src/compose/index.ts';
import { configurationReference } from '../src/config/index.ts';
import { refusalsReference } from './refusals-page.ts';

const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'configuration.md': configurationReference,
  'cli.md': cliReference,
  'admin-api.md': adminApiReference,
  'openapi.json': openApiReference,
  'refusals.md': refusalsReference,
};

for (const [name, text] of Object.entries(PAGES)) {
  writeFileSync(join(PROGRAM_ROOT, 'docs', 'reference', name), await text());
  console.log(`docs/reference/${name}`);
}
