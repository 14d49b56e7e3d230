import { join } from 'node:path';
import type { RuleTestReport } from '../../detector/index.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../fault.ts';
import type { Column } from '../output.ts';
import { unreadable } from './unreadable.ts';

const COLUMNS: readonly Column[] = [
  ['RULE', 'id'],
  ['FORMAT', 'format'],
  ['CASES', 'asExpected'],
  ['FILE', 'place'],
];

export const detectorTest = defineCommand({
  name: 'detector test',
  summary:
    'Run the cases that detection rules carry in themselves; exit code 1 when one goes otherwise or a file is broken.',
  arguments: [
    {
      name: 'FILE',
      optional: true,
      repeats: true,
      help: 'Files or folders of rules; default: the rules of this installation.',
    },
  ],
  examples: [
    'sallyport detector test',
    'sallyport detector test policies/detection/supply.yaml',
    'sallyport detector test policies/detection --json',
  ],
  async run({ args, output, state }) {
    const { testRules } = await import('../../detector/index.ts');
    const paths = args.length > 0 ? args : [join(state.config.paths.policies, 'detection')];
    const report = await unreadable(() => testRules(paths));
    if (output.json) output.result(report, '');
    else {
      output.list(report.rules.map(rowOf), COLUMNS, 'There are no rules.');
      for (const line of linesOf(report)) output.say(line);
    }
    return report.ok ? EXIT.ok : EXIT.refused;
  },
});

function rowOf({ id, format, cases, failed, file, line }: RuleTestReport['rules'][number]) {
  return { id, format, asExpected: `${cases - failed.length} of ${cases}`, place: `${file}:${line}` };
}

function* linesOf({ rules, refused, faults, cases, passed }: RuleTestReport): Iterable<string> {
  for (const { id, file, line, failed } of rules) {
    for (const { kind, number } of failed) {
      const what = kind === 'match' ? 'should match and does not' : 'should pass and matches';
      yield `${file}:${line}: rule ${id}: case ${number} of its ${kind} cases ${what}.`;
    }
  }
  for (const fault of faults) yield fault;
  const left =
    refused.length === 0 ? '' : ` ${refused.length} left out (sallyport detector rules --refused).`;
  yield `${rules.length} rules, ${passed} of ${cases} cases as expected.${left}`;
}
