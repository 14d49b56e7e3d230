import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseCheckpoint } from '../../../src/audit/checkpoint.ts';
import { EVENT_TYPES } from '../../../src/audit/index.ts';
import { decodeRecord } from '../../../src/audit/record.ts';
import { repositoryRoot } from '../../support/shared.ts';

const page = readFileSync(join(repositoryRoot, 'docs/reference/audit-log.md'), 'utf8');

test('the page lists every type of event as the code describes it, and no other', () => {
  const listed = [
    ...(page.split('## Types of events')[1] ?? '').matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| (.+) \|$/gm),
  ].map(([, type, text]) => [type, text]);
  expect(listed).toEqual(Object.entries(EVENT_TYPES));
});

test('the record and the checkpoint on the page are real', () => {
  const record = /```json\n(\{"event".+)\n```/.exec(page)?.[1] ?? '';
  expect(decodeRecord(record).event.type).toBe('call.permitted');
  const note = /```\n(sallyport\/audit[\s\S]+?\n)```/.exec(page)?.[1] ?? '';
  expect(parseCheckpoint(note).size).toBe(3);
});
