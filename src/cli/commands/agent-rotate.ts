import { step } from '../client/step.ts';
import { argument, defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

export const agentRotate = defineCommand({
  name: 'agent rotate',
  summary: 'Give an agent a new key, or a new client secret; the ones before stop working.',
  arguments: [{ name: 'AGENT', help: 'Name of the agent.' }],
  options: {
    secret: { type: 'boolean', help: 'A new client secret, shown once, in place of a key.' },
    overlap: {
      type: 'string',
      value: 'SECONDS',
      help: 'With --secret: how long the ones before stay good; default: 0.',
    },
  },
  examples: ['sallyport agent rotate builder', 'sallyport agent rotate ci --secret'],
  async run({ client, output, args, values, state }) {
    const name = argument(args, 0);
    if (values.overlap !== undefined && !values.secret) throw usageFault('--overlap goes with --secret.');
    if (values.secret) {
      const overlapSeconds = Number(values.overlap ?? '0');
      if (!/^\d{1,7}$/.test(values.overlap ?? '0')) throw usageFault('--overlap is a number of seconds.');
      const made = await client.post(`/agents/${step(name)}/secret`, { overlapSeconds });
      output.result(made, `New client secret of ${name} (shown once, kept nowhere):`);
      output.say(textOf(made.secret));
      return undefined;
    }
    const { agentKeyFile, generateAgentKey, prepareAgentKey } = await import('../agent-keys.ts');
    const file = agentKeyFile(state, name);
    const found = await client.get(`/agents/${step(name)}`);
    const key = await generateAgentKey();
    const prepared = await prepareAgentKey(file, { clientId: textOf(found.id), privateJwk: key.privateJwk });
    try {
      const agent = await client.patch(`/agents/${step(name)}`, { jwks: [key.publicJwk] });
      await prepared.commit();
      output.result(
        { agent, keyFile: file },
        `${name} has a new key, in ${file}; the ones before stopped working.`,
      );
    } catch (cause) {
      await prepared.discard();
      throw cause;
    }
    return undefined;
  },
});
