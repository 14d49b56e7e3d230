import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHANNELS } from '../../../bench/leak/channels.ts';
import { formListDigest, madeUpSecrets, spellingsOf } from '../../../bench/leak/forms.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = readFileSync(join(repositoryRoot, 'docs/limits.md'), 'utf8');
const table = page.slice(page.indexOf('<!-- leak-test: begin -->'), page.indexOf('<!-- leak-test: end -->'));

test('the table in docs/limits.md was made with the forms of today (npm run leak-test -- --write)', () => {
  expect(table).toContain(`<!-- forms: ${formListDigest()} -->`);
});

test.each(CHANNELS.map(({ name }) => name))('the table says that every form is stopped: %s', (name) => {
  const cells = table
    .split('\n')
    .find((line) => line.startsWith(`| ${name} |`))
    ?.split('|')
    .map((cell) => cell.trim());
  for (const cell of [cells?.[2], cells?.[3]]) {
    const [stopped, of] = (cell ?? '').split(' of ');
    expect(Number(of)).toBeGreaterThan(100);
    expect(stopped).toBe(of);
  }
});

test('most promised forms are spellings that each channel is tried with', () => {
  for (const secret of madeUpSecrets()) expect(spellingsOf(secret).length).toBeGreaterThan(40);
});
