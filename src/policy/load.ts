import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { schemaFault, validatePolicies } from './engine.ts';
import { type Policy, type PolicyFault, parsePolicyFile, placeFault } from './policy-file.ts';

export const SCHEMA_FILE = 'sallyport.cedarschema';

/** Limits of a folder: a slip (a copied tree, a huge file) is named instead of eaten. */
const MAX_FILES = 1000;
const MAX_FILE_BYTES = 1024 * 1024;

export interface LoadedPolicies {
  readonly policies: readonly Policy[];
  readonly faults: readonly PolicyFault[];
}

/** Reads `*.cedar` of one folder (not of folders inside) and checks every policy against the schema beside them. */
export async function loadPolicies(directory: string): Promise<LoadedPolicies> {
  const names = await listFiles(directory);
  if ('fault' in names) return { policies: [], faults: [names.fault] };
  const schema = await readText(directory, SCHEMA_FILE);
  if ('fault' in schema) return { policies: [], faults: [schema.fault] };
  const broken = schemaFault(schema.text);
  if (broken !== null) return { policies: [], faults: [placeFault(broken, SCHEMA_FILE, schema.text, 0)] };

  const policies: Policy[] = [];
  const faults: PolicyFault[] = [];
  for (const name of names.files) {
    const read = await readText(directory, name);
    if ('fault' in read) {
      faults.push(read.fault);
      continue;
    }
    const file = parsePolicyFile(name, read.text);
    policies.push(...file.policies);
    faults.push(...file.faults, ...schemaFaults(schema.text, name, read.text, file.policies));
  }
  return { policies, faults };
}

function schemaFaults(
  schema: string,
  file: string,
  text: string,
  policies: readonly Policy[],
): readonly PolicyFault[] {
  const byId = new Map(policies.map((policy) => [policy.id, policy]));
  const texts = Object.fromEntries(policies.map((policy) => [policy.id, policy.text]));
  return validatePolicies(schema, texts).map((fault) => {
    const policy = byId.get(fault.policy ?? '');
    const base = policy === undefined ? 0 : text.indexOf(policy.text);
    return placeFault(fault, file, text, base);
  });
}

async function listFiles(
  directory: string,
): Promise<{ readonly files: readonly string[] } | { readonly fault: PolicyFault }> {
  try {
    const files = (await readdir(directory)).filter((name) => name.endsWith('.cedar')).sort();
    if (files.length <= MAX_FILES) return { files };
    return { fault: { file: directory, line: null, message: `holds more than ${MAX_FILES} policy files` } };
  } catch (cause) {
    return { fault: { file: directory, line: null, message: `can not be read: ${messageOf(cause)}` } };
  }
}

async function readText(
  directory: string,
  name: string,
): Promise<{ readonly text: string } | { readonly fault: PolicyFault }> {
  try {
    const bytes = await readFile(join(directory, name));
    if (bytes.length > MAX_FILE_BYTES)
      return { fault: { file: name, line: null, message: 'is larger than 1 MiB' } };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (cause) {
    return { fault: { file: name, line: null, message: `can not be read: ${messageOf(cause)}` } };
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** `scopes.cedar:7: message`. */
export function formatFault(fault: PolicyFault): string {
  return `${fault.file}${fault.line === null ? '' : `:${fault.line}`}: ${fault.message}`;
}
