import { defineCommand } from '../command.ts';
import { readPassphrase } from './read-passphrase.ts';

export const up = defineCommand({
  name: 'up',
  summary: 'Start the service, control plane and gateway, as npm start does; Ctrl-C stops it.',
  examples: ['sallyport up', 'SALLYPORT_HOME=/srv/sallyport sallyport up'],
  async run({ output, state, signal, terminal }) {
    const { serve } = await import('../../compose/index.ts');
    const stopped = new Promise<string>((resolve) => {
      signal.addEventListener('abort', () => resolve('stopped by a person'), { once: true });
    });
    return serve({
      environment: state.environment,
      out: output.out,
      err: output.err,
      stopped,
      askPassphrase: terminal.isInteractive
        ? async () => (await readPassphrase(terminal)).toString('utf8')
        : null,
    });
  },
});
