import { defineCommand } from '../command.ts';
import { readPassphrase } from './read-passphrase.ts';

export const up = defineCommand({
  name: 'up',
  summary: 'Start the service, control plane and gateway, as npm start does; Ctrl-C stops it.',
  examples: ['sallyport up', 'SALLYPORT_HOME=/srv/sallyport sallyport up'],
  async run({ output, environment, terminal }) {
    const { listenForSignals, serve } = await import('../../compose/index.ts');
    return serve({
      environment,
      out: output.out,
      err: output.err,
      ...listenForSignals({ isTerminal: output.out.isTTY === true }),
      askPassphrase: terminal.isInteractive
        ? async () => (await readPassphrase(terminal)).toString('utf8')
        : null,
    });
  },
});
