import { argument, defineCommand } from '../command.ts';
import { EXIT } from '../fault.ts';

export const policyTest = defineCommand({
  name: 'policy test',
  summary:
    'Put the calls of *.cases.yaml to the policies beside them; exit code 1 when one is answered otherwise.',
  arguments: [{ name: 'DIR', optional: true, help: 'Folder; default: the one of this installation.' }],
  examples: ['sallyport policy test', 'sallyport policy test ./policies --json'],
  async run({ args, output, state }) {
    const { formatFault, testPolicies } = await import('../../policy/index.ts');
    const directory = args.length > 0 ? argument(args, 0) : state.config.paths.policies;
    const report = await testPolicies(directory, Date.now());
    const failed = report.cases.filter(({ passed }) => !passed);
    output.result(
      report,
      `${report.cases.length - failed.length} of ${report.cases.length} cases as expected.`,
    );
    for (const fault of report.faults) output.say(`  ${formatFault(fault)}`);
    for (const { file, name, expected, got, reason } of failed) {
      output.say(`  ${file}: ${name}: expected ${expected}, got ${got} (${reason})`);
    }
    return report.ok ? EXIT.ok : EXIT.refused;
  },
});
