import { existsSync } from 'node:fs';
import { defineCommand } from '../command.ts';
import { AGENT_OPTIONS, relayOptionsOf } from './agent-options.ts';

export const run = defineCommand({
  name: 'run',
  summary: 'Run a command whose HTTP calls go through the gate as an agent’s; ends with its exit code.',
  rest: '-- CMD…',
  options: {
    ...AGENT_OPTIONS,
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
  async run(context) {
    const { values, rest, state, environment } = context;
    const [{ runCommand }, { loadAgent }] = await Promise.all([
      import('../relay/index.ts'),
      import('../agent-keys.ts'),
    ]);
    const { paths, detector } = state.config;
    return runCommand({
      ...(await relayOptionsOf(context)),
      argv: rest ?? [],
      environment,
      stateFolder: existsSync(paths.data) ? paths.home : null,
      strict: detector.profile === 'strict',
      ...(values.desk === undefined ? {} : { desk: await loadAgent(state, values.desk) }),
    });
  },
});
