import { join } from 'node:path';
import { defineCommand } from '../command.ts';
import { EXIT } from '../fault.ts';
import type { Column } from '../output.ts';
import { unreadable } from './unreadable.ts';

const RULES: readonly Column[] = [
  ['RULE', 'id'],
  ['FORMAT', 'format'],
  ['ON', 'on'],
  ['SEVERITY', 'severity'],
  ['SCORE', 'score'],
  ['TITLE', 'title'],
  ['FILE', (row) => `${row.file}:${row.line}`],
];

const REFUSED: readonly Column[] = [
  ['RULE', 'id'],
  ['FORMAT', 'format'],
  ['REASON', 'reason'],
  ['FILE', (row) => `${row.file}:${row.line}`],
];

export const detectorRules = defineCommand({
  name: 'detector rules',
  summary: 'List the detection rules of a folder, or those of others’ packs that are left out, and why.',
  options: {
    refused: { type: 'boolean', help: 'The rules that are left out, with the reason.' },
    rules: {
      type: 'string',
      value: 'DIR',
      help: 'Folder of detection rules; default: the one of this installation.',
    },
  },
  examples: ['sallyport detector rules', 'sallyport detector rules --refused'],
  async run({ values, output, state }) {
    const { listRules } = await import('../../detector/index.ts');
    const directory = values.rules ?? join(state.config.paths.policies, 'detection');
    const { rules, refused, faults } = await unreadable(() => listRules(directory));
    if (values.refused)
      output.list(
        refused.map((one) => ({ ...one })),
        REFUSED,
        'No rule is left out.',
      );
    else
      output.list(
        rules.map((one) => ({ ...one })),
        RULES,
        'There are no rules.',
      );
    for (const fault of faults) output.note(fault);
    return faults.length === 0 ? EXIT.ok : EXIT.refused;
  },
});
