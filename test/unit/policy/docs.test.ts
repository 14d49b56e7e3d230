import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadPolicies } from '../../../src/policy/load.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = readFileSync(join(repositoryRoot, 'docs/reference/policy.md'), 'utf8');
const directory = join(repositoryRoot, 'policies');

it('the page of policies names every shipped policy', async () => {
  const { policies } = await loadPolicies(directory);
  const named = [...page.matchAll(/^\| `([a-z.]+#[a-z-]+)` \|/gm)].map(([, id]) => id);
  expect(named.sort()).toEqual(policies.map(({ id }) => id).sort());
});

it('the page of policies names everything that the schema gives to a policy', () => {
  const schema = readFileSync(join(directory, 'sallyport.cedarschema'), 'utf8');
  const attributes = [...schema.matchAll(/^ {2,}([a-zA-Z]+)\??: (?:String|Long|Bool|Set|Body)/gm)].map(
    ([, name]) => name,
  );
  expect(attributes.length).toBeGreaterThan(15);
  const missing = attributes.filter(
    (name) => !page.includes(`\`${name}\``) && !page.includes(`body.${name}\``),
  );
  expect(missing).toEqual([]);
});

it('the examples of the page stand in the repository', () => {
  const merge = readFileSync(join(directory, 'examples/merge-needs-a-person.cedar'), 'utf8');
  const shown = page.match(/```cedar\n(@id\("merge"\)[^`]*)```/)?.[1];
  expect(shown).toBeDefined();
  expect(merge).toContain(shown?.trim());
});
