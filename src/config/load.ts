import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import { nearest } from '../core/index.ts';
import { type SettingLeaf, settingLeaves } from './leaves.ts';
import { configSchema, type Settings } from './schema.ts';

/** Where the state of an installation lives. */
export interface Paths {
  readonly home: string;
  readonly file: string;
  readonly keys: string;
  readonly data: string;
  readonly audit: string;
  readonly database: string;
  readonly policies: string;
}

export type Config = Settings & { readonly paths: Paths };

/** All that is wrong with the settings, at once. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `The settings have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((one) => `  - ${one}`).join('\n')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Variables that begin with SALLYPORT_ but are no settings: state folder, test material, the CLI's own. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  'SALLYPORT_HOME',
  'SALLYPORT_SHARED',
  'SALLYPORT_ADMIN_TOKEN',
  'SALLYPORT_AGENT',
  'SALLYPORT_HOOK_SOCKET',
]);

export interface ConfigSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** State folder when SALLYPORT_HOME does not name one: the clone. */
  readonly defaultHome: string;
}

/** Reads file and environment (which wins) into one frozen value, or throws ConfigError with every fault. */
export function loadConfig(source: ConfigSource): Config {
  const home = resolve(source.environment.SALLYPORT_HOME ?? source.defaultHome);
  const file = join(home, 'sallyport.yaml');
  const faults: string[] = [];
  const tree = readTree(file, faults);
  applyEnvironment(tree, source.environment, faults);

  const parsed = configSchema.safeParse(tree);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const where = issue.path.join('.') || 'sallyport.yaml';
      const unknown =
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => suggestion(issue.path, key)).join('')
          : '';
      faults.push(`${where}: ${issue.message}${unknown}`);
    }
    throw new ConfigError(faults);
  }
  crossCheck(parsed.data, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return deepFreeze({ ...parsed.data, paths: pathsOf(home, file, parsed.data) });
}

function readTree(file: string, faults: string[]): Record<string, unknown> {
  if (!existsSync(file)) return {};
  // Aliases could blow a small file up (YAML bomb); settings need none.
  const document = parseDocument(readFileSync(file, 'utf8'), { uniqueKeys: true, strict: true });
  for (const error of document.errors) faults.push(`${file}: ${error.message.split('\n')[0]}`);
  if (document.errors.length > 0) throw new ConfigError(faults);
  const value = toValue(document, file);
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw new ConfigError([`${file}: must hold sections with settings.`]);
  return value as Record<string, unknown>;
}

function toValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    throw new ConfigError([`${file}: ${cause instanceof Error ? cause.message : String(cause)}.`]);
  }
}

function applyEnvironment(
  tree: Record<string, unknown>,
  environment: ConfigSource['environment'],
  faults: string[],
): void {
  const leaves = new Map(settingLeaves().map((leaf) => [leaf.variable, leaf]));
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SALLYPORT_') || OTHER_VARIABLES.has(variable) || text === undefined) continue;
    const leaf = leaves.get(variable);
    if (leaf === undefined) {
      faults.push(`${variable}: there is no such setting${nearest(variable, [...leaves.keys()])}`);
      continue;
    }
    const section = tree[leaf.section] ?? {};
    if (typeof section !== 'object' || Array.isArray(section)) continue; // The schema names this fault.
    tree[leaf.section] = { ...section, [leaf.name]: parseVariable(leaf, text) };
  }
}

function parseVariable(leaf: SettingLeaf, text: string): unknown {
  if (text === '' && leaf.kinds.has('null')) return null;
  if (leaf.kinds.has('array')) return parseJson(text);
  if (leaf.kinds.has('integer') && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (leaf.kinds.has('number') && /^\d{1,9}(\.\d{1,6})?$/.test(text)) return Number(text);
  if (leaf.kinds.has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** Lists stand in the environment as JSON; what is none is told by the schema. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function crossCheck(settings: Settings, faults: string[]): void {
  if (settings.storage.kind === 'postgres' && settings.storage.url === null) {
    faults.push('storage.url: must be set when storage.kind is postgres.');
  }
  if (settings.storage.kind === 'sqlite' && settings.storage.url !== null) {
    faults.push('storage.url: is for storage.kind postgres; remove it, or set storage.kind.');
  }
  if (settings.vault.seal === 'file' && settings.vault.passphraseFile !== null) {
    faults.push('vault.passphraseFile: is for vault.seal passphrase; remove it, or set vault.seal.');
  }
  if (settings.guard.remote !== null && settings.guard.model !== null) {
    faults.push('guard.model: is for a guard of this gate; remove it, or remove guard.remote.');
  }
  for (const name of ['control', 'gateway'] as const) checkTls(name, settings[name], faults);
}

function checkTls(
  name: string,
  { tlsCertificateFile, tlsKeyFile, publicUrl }: Settings['control' | 'gateway'],
  faults: string[],
): void {
  if ((tlsCertificateFile === null) !== (tlsKeyFile === null)) {
    const missing = tlsKeyFile === null ? 'tlsKeyFile' : 'tlsCertificateFile';
    faults.push(`${name}.${missing}: must be set too; TLS needs a certificate and its key.`);
  }
  if (tlsCertificateFile !== null && publicUrl?.startsWith('http:') === true) {
    faults.push(`${name}.publicUrl: must begin with https, since ${name}.tlsCertificateFile is set.`);
  }
}

function pathsOf(home: string, file: string, settings: Settings): Paths {
  const data = join(home, 'data');
  return {
    home,
    file,
    keys: join(home, 'keys'),
    data,
    audit: join(data, 'audit'),
    database: join(data, 'sallyport.db'),
    policies: resolve(home, settings.policy.directory),
  };
}

function suggestion(path: readonly PropertyKey[], key: string): string {
  const leaves = settingLeaves();
  const names =
    path.length === 0
      ? [...new Set(leaves.map((leaf) => leaf.section))]
      : leaves.filter((leaf) => leaf.section === path[0]).map((leaf) => leaf.name);
  return nearest(key, names);
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
  return Object.freeze(value);
}
