import type { CommandContext, OptionSpecs, Values } from '../command.ts';
import type { RelayOptions } from '../relay/index.ts';

/** What the verbs have in common that act as an agent of this machine. */
export const AGENT_OPTIONS = {
  agent: {
    type: 'string',
    value: 'NAME',
    help: 'Agent of this machine; default: SALLYPORT_AGENT, or the only one.',
  },
  scope: {
    type: 'string',
    value: 'SCOPES',
    help: 'Scopes to ask for; default: all that the agent may have.',
  },
  delegation: {
    type: 'string',
    value: 'FILE',
    help: 'Act with what another agent passed on (sallyport passport delegate); works once.',
  },
} as const satisfies OptionSpecs;

/** How to act as that agent. Throws CliFault when there is none, or its delegation can't be read. */
export async function relayOptionsOf({
  values,
  output,
  state,
  url,
}: CommandContext<Values<typeof AGENT_OPTIONS>>): Promise<RelayOptions> {
  const [{ loadAgent }, { readDelegation }] = await Promise.all([
    import('../agent-keys.ts'),
    import('../delegation-file.ts'),
  ]);
  return {
    gatewayUrl: state.gatewayUrl,
    issuerUrl: url ?? state.controlUrl,
    trust: state.trust,
    agent: await loadAgent(state, values.agent),
    onNotice: (sentence) => output.note(sentence),
    ...(values.scope === undefined ? {} : { scope: values.scope }),
    ...(values.delegation === undefined ? {} : { delegation: readDelegation(values.delegation) }),
  };
}
