import { existsSync } from 'node:fs';
import { loadAgent } from '../agent-keys.ts';
import { defineCommand } from '../command.ts';
import { readDelegation } from '../delegation-file.ts';

export const run = defineCommand({
  name: 'run',
  summary: 'Run a command whose HTTP calls go through the gate as an agent’s; ends with its exit code.',
  rest: '-- CMD…',
  options: {
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
    desk: {
      type: 'string',
      value: 'NAME',
      help: 'Agent of this machine with the scope session:instruct: states the user’s words to the detector.',
    },
  },
  examples: [
    'sallyport run --agent builder -- curl https://api.github.com/user',
    'sallyport run --agent builder -- git clone https://github.com/acme/app.git',
  ],
  async run({ output, values, rest, state, url }) {
    const { runCommand } = await import('../relay/index.ts');
    const { paths, detector } = state.config;
    return runCommand({
      argv: rest ?? [],
      environment: state.environment,
      gatewayUrl: state.gatewayUrl,
      issuerUrl: url ?? state.controlUrl,
      trust: state.trust,
      agent: await loadAgent(state, values.agent),
      stateFolder: existsSync(paths.data) ? paths.home : null,
      strict: detector.profile === 'strict',
      onNotice: (sentence) => output.note(sentence),
      ...(values.desk === undefined ? {} : { desk: await loadAgent(state, values.desk) }),
      ...(values.scope === undefined ? {} : { scope: values.scope }),
      ...(values.delegation === undefined ? {} : { delegation: readDelegation(values.delegation) }),
    });
  },
});
