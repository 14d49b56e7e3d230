import { join } from 'node:path';
import { ADMIN_TOKEN_FILE, isAdminToken, Refusal } from '../core/index.ts';
import { createKeyFile, KeyFileError, readKeyFile, removeKeyFile, replaceKeyFile } from '../files/index.ts';
import { type AdminTokens, generateAdminToken } from './tokens.ts';

/** A file by this name in the keys folder asks for a new administrator: for who has lost the token. */
export const RECOVERY_FILE = 'recover-administrator';
/** Where a token stands between its making and the moment when a person has seen it. */
const PENDING_FILE = 'admin-token.pending';

/** Where the first administrator's token went. */
export type FirstAdministrator =
  | { readonly kind: 'exists' }
  /** To be shown on the terminal, once; `saveTo`: where `sallyport login` would keep it. */
  | {
      readonly kind: 'shown';
      readonly token: string;
      readonly saveTo: string;
      /** Called once it was shown: takes the copy away by which a start that died before then shows it again. */
      confirm(): Promise<void>;
    }
  | { readonly kind: 'written'; readonly file: string };

interface Options {
  readonly tokens: AdminTokens;
  readonly tenant: string;
  readonly keysDirectory: string;
  /** True when standard output is a terminal with a person before it. */
  readonly isTerminal: boolean;
}

/**
 * Makes an admin token when no live one is left (rule 13 of docs/guarantees.md), or when the recovery file asks
 * for one. On a terminal the caller shows it once; else it stands in a 0600 file in the keys folder, because
 * standard output of a service ends in logs.
 *
 * A file holds the token before the database knows it, and until a person has it: a crash at any point ends
 * with an administrator. A token that stands in the file before the very first start is taken over.
 */
export async function ensureFirstAdministrator(options: Options): Promise<FirstAdministrator> {
  const { tokens, tenant, keysDirectory } = options;
  const recovery = join(keysDirectory, RECOVERY_FILE);
  const isAsked = (await readKeyFile(recovery)) !== null;
  const unseen = await unseenToken(options);
  if (unseen !== null) return deliver(options, unseen);
  if (!isAsked && (await tokens.hasAdministrator(tenant))) return { kind: 'exists' };
  const made = await make(options, isAsked);
  await removeKeyFile(recovery);
  return made;
}

async function make(options: Options, isAsked: boolean): Promise<FirstAdministrator> {
  const { tokens, keysDirectory, isTerminal } = options;
  const file = join(keysDirectory, ADMIN_TOKEN_FILE);
  const isVeryFirst = !isAsked && (await tokens.count()) === 0;
  const given = isVeryFirst ? await readToken(file) : null;
  if (given === null && isTerminal) {
    const token = generateAdminToken();
    await replaceKeyFile(join(keysDirectory, PENDING_FILE), `${token}\n`);
    return (await register(options, token)) ? deliver(options, token) : { kind: 'exists' };
  }
  if (given === null) await writeToken(file, isVeryFirst);
  const token = await readToken(file);
  if (token === null) throw new KeyFileError(file, 'was taken away while it was made; start again.');
  return (await register(options, token)) ? { kind: 'written', file } : { kind: 'exists' };
}

/** At the very first start several processes may meet here, and the first one's token counts. */
async function writeToken(file: string, isVeryFirst: boolean): Promise<void> {
  const text = `${generateAdminToken()}\n`;
  // Later, what stands there is a token that was deleted or has run out: it must not come back to life.
  if (isVeryFirst) await createKeyFile(file, text);
  else await replaceKeyFile(file, text);
}

/** The token of a start that died before it was shown, when it is good or can be made so. */
async function unseenToken(options: Options): Promise<string | null> {
  const { tokens, tenant, keysDirectory } = options;
  const pending = join(keysDirectory, PENDING_FILE);
  const token = await readToken(pending);
  if (token === null) return null;
  if ((await tokens.identify(token)) !== null) return token;
  if (!(await tokens.hasAdministrator(tenant)) && (await register(options, token))) return token;
  await removeKeyFile(pending);
  return null;
}

async function deliver({ keysDirectory, isTerminal }: Options, token: string): Promise<FirstAdministrator> {
  const file = join(keysDirectory, ADMIN_TOKEN_FILE);
  const confirm = () => removeKeyFile(join(keysDirectory, PENDING_FILE));
  if (isTerminal) return { kind: 'shown', token, saveTo: file, confirm };
  await replaceKeyFile(file, `${token}\n`);
  await confirm();
  return { kind: 'written', file };
}

async function readToken(file: string): Promise<string | null> {
  const bytes = await readKeyFile(file);
  if (bytes === null) return null;
  const token = bytes.toString('utf8').trim();
  if (isAdminToken(token)) return token;
  throw new KeyFileError(file, 'does not hold an admin token (sp_admin_…); delete it and start again.');
}

/** False when another node made the first administrator at the same moment. */
async function register({ tokens, tenant }: Options, token: string): Promise<boolean> {
  const name = await freeName(tokens, tenant);
  try {
    await tokens.create({ tenant, name, role: 'admin', expiresAt: null }, 'first start', token);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'conflict') return false;
    throw error;
  }
}

async function freeName(tokens: AdminTokens, tenant: string): Promise<string> {
  const taken = new Set((await tokens.list(tenant)).map(({ name }) => name));
  let name = 'first-administrator';
  for (let number = 2; taken.has(name); number++) name = `administrator-${number}`;
  return name;
}
