import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CliFault, stateFault } from '../fault.ts';
import { MAGIC, MAX_MANIFEST_BYTES, type Manifest, manifestSchema } from './format.ts';

const CHUNK_BYTES = 1024 * 1024;

/** An opened backup: what it says of itself, and where its files begin. */
export interface Opened {
  readonly manifest: Manifest;
  readonly offset: number;
}

/** Reads the first two lines. Throws CliFault for anything that is no backup of ours. */
export async function readManifest(handle: FileHandle, name: string): Promise<Opened> {
  const head = Buffer.alloc(MAGIC.length);
  await handle.read(head, 0, head.length, 0);
  if (head.toString('latin1') !== MAGIC) {
    throw stateFault(`${name} is not a Sallyport backup of a format that this version reads.`);
  }
  const line = await readLine(handle, MAGIC.length);
  const parsed = manifestSchema.safeParse(line === null ? null : parse(line));
  if (!parsed.success) throw damaged(name, 'its table of contents can not be read');
  return { manifest: parsed.data, offset: MAGIC.length + (line?.length ?? 0) + 1 };
}

/** Writes the files below `folder`, each checked against its sum. Throws CliFault for the first that differs. */
export async function extractFiles(
  handle: FileHandle,
  name: string,
  { manifest, offset }: Opened,
  folder: string,
): Promise<void> {
  let at = offset;
  for (const { path, bytes, sha256 } of manifest.files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const file = await open(target, 'wx', path.endsWith('.pub') ? 0o644 : 0o600);
    try {
      const hash = createHash('sha256');
      for (let done = 0; done < bytes; ) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - done));
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, at + done);
        if (bytesRead === 0) throw damaged(name, `it ends inside of ${path}`);
        hash.update(chunk.subarray(0, bytesRead));
        await file.write(chunk.subarray(0, bytesRead));
        done += bytesRead;
      }
      if (hash.digest('hex') !== sha256) throw damaged(name, `${path} is not what was written`);
      await file.sync();
    } finally {
      await file.close();
    }
    at += bytes;
  }
}

export function damaged(name: string, how: string): CliFault {
  return stateFault(`The backup ${name} is damaged: ${how}.`, 'Nothing was restored. Take an older backup.');
}

async function readLine(handle: FileHandle, from: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  for (let size = 0; size < MAX_MANIFEST_BYTES; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, from + size);
    if (bytesRead === 0) return null;
    const end = chunk.subarray(0, bytesRead).indexOf(10);
    chunks.push(chunk.subarray(0, end < 0 ? bytesRead : end));
    if (end >= 0) return Buffer.concat(chunks);
    size += bytesRead;
  }
  return null;
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'));
  } catch {
    return null;
  }
}
