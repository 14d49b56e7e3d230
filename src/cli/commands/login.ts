import { isAdminToken } from '../../core/index.ts';
import { defineCommand } from '../command.ts';
import { usageFault } from '../fault.ts';
import { textOf } from '../output.ts';

const MAX_BYTES = 256;

export const login = defineCommand({
  name: 'login',
  summary: 'Keep an admin token on this machine, mode 0600, after checking it with the service.',
  examples: ['sallyport login', 'sallyport login < token.txt'],
  async run({ output, terminal, state, signal, url }) {
    const token = (await terminal.readSecret('Admin token: ', MAX_BYTES)).toString('utf8').trim();
    if (!isAdminToken(token)) throw usageFault('That is no admin token (sp_admin_…).');
    const [{ replaceKeyFile }, { AdminClient }, { savedTokenFile }] = await Promise.all([
      import('../../files/index.ts'),
      import('../client/admin-client.ts'),
      import('../client/token.ts'),
    ]);
    const client = new AdminClient({
      url: url ?? state.controlUrl,
      token: () => token,
      signal,
      trust: state.trust,
    });
    const self = await client.get('/tokens/self');
    const file = savedTokenFile(state);
    await replaceKeyFile(file, `${token}\n`);
    output.result(
      { ...self, file },
      `Signed in as ${textOf(self.name)} (${textOf(self.role)}); kept in ${file}.`,
    );
    output.note('Programs of this user can read it: run agents as a user of their own.');
    return undefined;
  },
});
