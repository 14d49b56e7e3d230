import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Config } from '../../config/index.ts';

/** A file to be kept, up to a length that it had at one moment. */
export interface Entry {
  /** In the backup. */
  readonly path: string;
  /** On this machine. */
  readonly source: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Policies, log, and settings that hold no password. The log goes on growing meanwhile: its checkpoints are taken
 * first, so that none vouches for a record that is not in the copy, and each file up to its last whole line.
 */
export async function collectFiles(config: Config, database: string | null): Promise<Entry[]> {
  const { audit, policies, file } = config.paths;
  const entries: Entry[] = [];
  const add = async (path: string, source: string, bytes = statSync(source).size): Promise<void> => {
    entries.push({ path, source, bytes, sha256: await digest(source, bytes) });
  };
  if (database !== null) await add('data/sallyport.db', database);
  if (existsSync(audit)) {
    const names = readdirSync(audit).filter((name) =>
      /^(\d{16}\.(jsonl|peaks)|checkpoints\.jsonl)$/.test(name),
    );
    const ordered = names.toSorted((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
    for (const name of ordered) {
      const source = join(audit, name);
      await add(`data/audit/${name}`, source, name.endsWith('.jsonl') ? wholeLines(source) : undefined);
    }
  }
  for (const source of filesBelow(policies)) {
    await add(`policies/${relative(policies, source).split(sep).join('/')}`, source);
  }
  if (existsSync(file) && !holdsPassword(config)) await add('sallyport.yaml', file);
  for (const source of filesBelow(config.paths.keys).filter((name) => name.endsWith('.pub'))) {
    await add(`keys/${relative(config.paths.keys, source)}`, source);
  }
  return entries;
}

/** Private files, by path: the keys, and settings that hold the database's password. */
export function collectPrivate(config: Config): ReadonlyMap<string, Buffer> {
  const { keys, file } = config.paths;
  const found = new Map<string, Buffer>();
  for (const source of filesBelow(keys)) {
    const path = `keys/${relative(keys, source).split(sep).join('/')}`;
    // Drafts of a crash, and what a clone has there for people.
    if (/\.(new|pub|md)$|\/\.gitignore$/.test(path)) continue;
    found.set(path, readFileSync(source));
  }
  if (existsSync(file) && holdsPassword(config)) found.set('sallyport.yaml', readFileSync(file));
  return found;
}

function holdsPassword(config: Config): boolean {
  return config.storage.url !== null;
}

/** Checkpoints before everything else. */
function rank(name: string): number {
  return name === 'checkpoints.jsonl' ? 0 : 1;
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A record that is being written now was not acknowledged when the backup began. */
function wholeLines(file: string): number {
  const bytes = readFileSync(file);
  return bytes.lastIndexOf(10) + 1;
}

async function digest(file: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (bytes > 0) for await (const chunk of createReadStream(file, { end: bytes - 1 })) hash.update(chunk);
  return hash.digest('hex');
}
