import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADMIN_TOKEN_FILE, isAdminToken } from '../../core/index.ts';
import { readKeyFile } from '../../files/index.ts';
import { stateFault } from '../fault.ts';
import type { State } from '../state.ts';

const REMEDY =
  'Run `sallyport login`, name a file with --token-file, or set SALLYPORT_ADMIN_TOKEN. The first token was shown when the service first started.';

/** The admin token: --token-file, else SALLYPORT_ADMIN_TOKEN, else keys/admin-token. Throws CliFault. */
export async function findAdminToken(state: State, tokenFile: string | undefined): Promise<string> {
  if (tokenFile !== undefined) return checked(readNamed(tokenFile), tokenFile);
  if (state.adminTokenVariable !== undefined)
    return checked(state.adminTokenVariable, 'SALLYPORT_ADMIN_TOKEN');
  const file = savedTokenFile(state);
  const bytes = await readKeyFile(file);
  if (bytes === null) throw stateFault('There is no admin token on this machine.', REMEDY);
  return checked(bytes.toString('utf8'), file);
}

/** Where `login` keeps a token, and where a first start without a terminal writes it. */
export function savedTokenFile(state: State): string {
  return join(state.config.paths.keys, ADMIN_TOKEN_FILE);
}

function readNamed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw stateFault(`${file} can not be read.`, 'Check the name after --token-file.', cause);
  }
}

/** What was found is never repeated: it may be a secret of something else. */
function checked(text: string, place: string): string {
  const token = text.trim();
  if (isAdminToken(token)) return token;
  throw stateFault(`${place} does not hold an admin token (sp_admin_…).`, REMEDY);
}
