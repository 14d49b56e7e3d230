import { argument, defineCommand } from '../command.ts';
import { EXIT } from '../fault.ts';

export const policyCheck = defineCommand({
  name: 'policy check',
  summary: 'Check policy files here, without a service; exit code 1 when one has a fault.',
  arguments: [{ name: 'DIR', optional: true, help: 'Folder; default: the one of this installation.' }],
  examples: ['sallyport policy check', 'sallyport policy check ./policies --json'],
  async run({ args, output, state }) {
    const { checkPolicies, formatFault } = await import('../../policy/index.ts');
    const directory = args.length > 0 ? argument(args, 0) : state.config.paths.policies;
    const { ok, policies, faults } = await checkPolicies(directory);
    const sentence = ok
      ? `${policies} policies, no fault.`
      : `${faults.length} faults; nothing of this would be put in force.`;
    output.result({ ok, policies, faults }, sentence);
    for (const fault of faults) output.say(`  ${formatFault(fault)}`);
    return ok ? EXIT.ok : EXIT.refused;
  },
});
