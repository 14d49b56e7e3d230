import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { RuleFault } from './formats/format.ts';

const MAX_FILE_BYTES = 1024 * 1024;
const MAX_TOTAL_BYTES = 64 * 1024 * 1024;
const MAX_FILES = 4096;

/** A file of rules, with its name as faults give it. */
export interface RuleFile {
  readonly name: string;
  readonly text: string;
}

/** The `.yaml` and `.yml` files of a folder and of what lies below it, or those of `only`; the small enough ones. */
export async function* listRuleFiles(
  directory: string,
  only: readonly string[] | undefined,
  faults: RuleFault[],
): AsyncIterable<RuleFile> {
  const paths = only ?? (await find(directory));
  if (paths.length > MAX_FILES) faults.push(tooMany(`${directory} holds ${paths.length} files of rules`));
  let total = 0;
  for (const path of paths.slice(0, MAX_FILES)) {
    const name = only === undefined ? relative(directory, path).split(sep).join('/') : path;
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES) {
      faults.push({
        file: name,
        line: null,
        rule: null,
        what: `it is larger than 1 MiB (${size} bytes)`,
        remedy: 'Cut it into several files.',
      });
      continue;
    }
    total += size;
    if (total > MAX_TOTAL_BYTES) {
      faults.push(tooMany(`the files of rules are larger than 64 MiB together, from ${name} on`));
      return;
    }
    yield { name, text: await readFile(path, 'utf8') };
  }
}

function tooMany(what: string): RuleFault {
  return {
    file: 'detection',
    line: null,
    rule: null,
    what,
    remedy: `At most ${MAX_FILES} files and 64 MiB are read: take out what is not needed.`,
  };
}

async function find(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (cause) {
    // A state folder without detection rules is one without rules: decoys and rates still work.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw cause;
  }
}
