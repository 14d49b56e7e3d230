import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';

export const passportDelegate = defineCommand({
  name: 'passport delegate',
  summary:
    'Pass on what an agent’s passport grants, or less, to one other agent; works once, within ten minutes, with that agent’s key alone.',
  options: {
    agent: {
      type: 'string',
      value: 'NAME',
      help: 'Agent of this machine that passes on; default: SALLYPORT_AGENT, or the only one.',
    },
    to: {
      type: 'string',
      value: 'AGENT',
      help: 'Id of the agent that may act, or its name if its key is here.',
    },
    scope: { type: 'string', value: 'SCOPES', help: 'Scopes to pass on; default: all.' },
    details: { type: 'string', value: 'JSON|@FILE', help: 'Authorization details of type tool_call.' },
    'max-depth': { type: 'string', value: 'N', help: 'Delegations that the chain may hold in all.' },
    lifetime: { type: 'string', value: 'SECONDS', help: 'How long the other agent may act, at most.' },
    out: { type: 'string', value: 'FILE', help: 'Write it there (mode 0600) in place of standard output.' },
  },
  examples: [
    'sallyport passport delegate --agent planner --to worker --scope github:read --out for-worker.json',
    'sallyport passport delegate --to agent_0mfx… --lifetime 60 --details @details.json > for-worker.json',
  ],
  async run({ output, values, state, url }) {
    if (values.to === undefined) throw usageFault('--to is needed: the agent that may act.');
    const [{ passOn }, { writeDelegation }] = await Promise.all([
      import('./pass-on.ts'),
      import('../delegation-file.ts'),
    ]);
    const { to, given } = await passOn({ ...values, to: values.to }, state, url);
    if (values.out === undefined) output.result(given, JSON.stringify(given));
    else {
      await writeDelegation(values.out, given);
      output.result({ file: values.out, to }, `Passed on to ${to}: ${values.out}.`);
    }
    return undefined;
  },
});
