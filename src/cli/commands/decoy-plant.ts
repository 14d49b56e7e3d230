import { argument, defineCommand } from '../command.ts';
import { textOf } from '../output.ts';

export const decoyPlant = defineCommand({
  name: 'decoy plant',
  summary: 'Plant a decoy: a credential, a value or a host that nobody has a reason to use.',
  arguments: [{ name: 'NAME', help: 'Name of the decoy.' }],
  options: {
    kind: { type: 'string', value: 'KIND', help: 'credential (default), value or host.' },
    value: { type: 'string', value: 'TEXT', help: 'Its value; default: one is generated.' },
    session: { type: 'string', value: 'SID', help: 'Only for this session.' },
    severity: { type: 'string', value: 'LEVEL', help: 'low, medium, high or critical (default).' },
  },
  examples: [
    'sallyport decoy plant aws-backup',
    'sallyport decoy plant vault-host --kind host --value vault.corp.example',
  ],
  async run({ client, output, args, values }) {
    const decoy = await client.post('/decoys', {
      kind: values.kind ?? 'credential',
      name: argument(args, 0),
      sid: values.session ?? null,
      severity: values.severity ?? 'critical',
      ...(values.value === undefined ? {} : { value: values.value }),
    });
    output.result(decoy, `Planted ${argument(args, 0)}. Lay this out where only a thief would take it:`);
    output.say(textOf(decoy.value));
    return undefined;
  },
});
