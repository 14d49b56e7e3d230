import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { type CompiledRule, compileRule } from './compile.ts';
import { ruleFileSchema } from './rule-schema.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/** The rules of a folder can't be used; `faults` names each file and rule. */
export class RuleError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The detection rules can not be used:\n${faults.map((one) => `  - ${one}`).join('\n')}`);
    this.name = 'RuleError';
    this.faults = faults;
  }
}

/** Reads `*.yaml` of a folder, runs every rule's own cases, and throws RuleError with all faults at once. */
export async function loadRules(directory: string): Promise<readonly CompiledRule[]> {
  const faults: string[] = [];
  const rules: CompiledRule[] = [];
  for (const name of await listFiles(directory)) {
    const bytes = await readFile(join(directory, name));
    if (bytes.length > MAX_FILE_BYTES) faults.push(`${name}: is larger than 1 MiB`);
    else rules.push(...readRules(name, bytes.toString('utf8'), faults));
  }
  for (const [id, same] of Map.groupBy(rules, ({ rule }) => rule.id)) {
    if (same.length > 1) faults.push(`the id ${id} is used ${same.length} times`);
  }
  if (faults.length > 0) throw new RuleError(faults);
  return rules;
}

async function listFiles(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  } catch (cause) {
    // A state folder without detection rules is one without rules: decoys and rates still work.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  }
}

function readRules(name: string, text: string, faults: string[]): readonly CompiledRule[] {
  const document = parseDocument(text, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) {
    faults.push(`${name}: ${error.message.split('\n')[0]}`);
    return [];
  }
  try {
    const parsed = ruleFileSchema.safeParse(document.toJS({ maxAliasCount: 0 }));
    if (!parsed.success) {
      faults.push(`${name}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
      return [];
    }
    return parsed.data.rules.flatMap((rule) => {
      try {
        return [compileRule(rule)];
      } catch (cause) {
        faults.push(`${name}: rule ${rule.id}: ${messageOf(cause)}`);
        return [];
      }
    });
  } catch (cause) {
    faults.push(`${name}: ${messageOf(cause)}`);
    return [];
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
