import { existsSync, rmSync } from 'node:fs';
import { defineCommand } from '../command.ts';

export const logout = defineCommand({
  name: 'logout',
  summary: 'Forget the admin token that is kept on this machine; the service goes on taking it.',
  examples: ['sallyport logout'],
  async run({ output, state }) {
    const { savedTokenFile } = await import('../client/token.ts');
    const file = savedTokenFile(state);
    const had = existsSync(file);
    rmSync(file, { force: true });
    output.result({ removed: had }, had ? `Removed ${file}.` : 'No admin token was kept here.');
    return undefined;
  },
});
