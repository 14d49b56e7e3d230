import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { raise } from '../../../src/alerts/index.ts';
import { messageOf, testMessage } from '../../../src/alerts/message.ts';
import { repositoryRoot } from '../../support/shared.ts';
import { actor, call, finding } from './support.ts';

const page = readFileSync(join(repositoryRoot, 'docs/reference/alerts.md'), 'utf8');
const blocks = [...page.matchAll(/```json\n([\s\S]+?)\n```/g)].map(([, text]) => JSON.parse(text ?? ''));
const [sample, schema] = blocks;
const validate = new Ajv2020({ allowUnionTypes: true }).compile(schema);

test('the body on the page has the shape that the page states', () => {
  expect(validate(sample), JSON.stringify(validate.errors)).toBe(true);
});

test('real messages have that shape, and exactly its members', () => {
  const decoy = { id: 'decoy_1', sid: null, plantedAt: 1 };
  for (const about of [
    { call, actor, findings: [finding({ decoy }), finding({ severity: 'low' })] },
    { call: null, actor: null, findings: [finding()] },
  ]) {
    const event = raise({ ...about, effect: 'deny', now: 1_750_000_000_000, tenant: 'default' });
    if (event === null) throw new Error('no alert');
    const message = messageOf({ sequence: 1, node: 'node-1', previous: '', hash: 'ab', event });
    expect(validate(message), JSON.stringify(validate.errors)).toBe(true);
  }
  const test = testMessage({ alertId: 'alert_1', tenant: 'default', now: 1 });
  expect(validate(test), JSON.stringify(validate.errors)).toBe(true);
  expect(validate({ ...test, more: 1 })).toBe(false);
});
