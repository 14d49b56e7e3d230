import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../core/index.ts';
import { KeyFileError, readOwnFile, writeOwnFile } from './key-file.ts';
import { type AdminTokens, generateAdminToken, isAdminToken } from './tokens.ts';

/** Name of the file in the keys folder in which the CLI on this machine looks for an admin token. */
export const ADMIN_TOKEN_FILE = 'admin-token';

/** Where the first administrator's token went. */
export type FirstAdministrator =
  | { readonly kind: 'exists' }
  /** To be shown on the terminal, now and never again. `saveTo`: where `sallyport login` would keep it. */
  | { readonly kind: 'shown'; readonly token: string; readonly saveTo: string }
  | { readonly kind: 'written'; readonly file: string };

interface Options {
  readonly tokens: AdminTokens;
  readonly tenant: string;
  readonly keysDirectory: string;
  /** True when standard output is a terminal with a person before it. */
  readonly isTerminal: boolean;
}

/**
 * Makes the first admin token when there is none (rule 13 of docs/guarantees.md). On a terminal the caller shows
 * it once; else it stands in a 0600 file in the keys folder, because standard output of a service ends in logs.
 *
 * The file is written before the database knows the token, and a token that stands there already is taken
 * over: a crash in between, or a container that mounts one, ends with an administrator either way.
 */
export async function ensureFirstAdministrator(options: Options): Promise<FirstAdministrator> {
  const { tokens, keysDirectory, isTerminal } = options;
  if ((await tokens.count()) > 0) return { kind: 'exists' };
  const file = join(keysDirectory, ADMIN_TOKEN_FILE);
  if (isTerminal && !existsSync(file)) {
    const token = generateAdminToken();
    return (await register(options, token)) ? { kind: 'shown', token, saveTo: file } : { kind: 'exists' };
  }
  writeOwnFile(file, `${generateAdminToken()}\n`);
  const token = readOwnFile(file).trim();
  if (!isAdminToken(token)) {
    throw new KeyFileError(file, 'does not hold an admin token (sp_admin_…); delete it and start again.');
  }
  return (await register(options, token)) ? { kind: 'written', file } : { kind: 'exists' };
}

/** False when another node made the first administrator at the same moment. */
async function register({ tokens, tenant }: Options, token: string): Promise<boolean> {
  try {
    const wanted = { tenant, name: 'first-administrator', role: 'admin', expiresAt: null } as const;
    await tokens.create(wanted, 'first start', token);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return false;
    throw error;
  }
}
