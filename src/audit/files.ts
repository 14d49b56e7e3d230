import { constants, fdatasync, ftruncate, write, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { syncFolder } from '../files/index.ts';

/** A file that only grows. */
export interface AppendFile {
  /** Resolves when the system has taken every byte. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when what was written survives a power cut (fdatasync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** How the log touches the disk when it writes; tests put in one that fails. */
export interface AuditFiles {
  /** Opens at the end; makes the file, mode 0600, when it is not there. */
  openAppend(file: string): Promise<AppendFile>;
  /** Writes a small file whole, durably; an older one is replaced. */
  writeWhole(file: string, bytes: Uint8Array): Promise<void>;
  /** Makes the names in a directory survive a power cut. */
  syncDirectory(directory: string): Promise<void>;
}

export const nodeFiles: AuditFiles = { openAppend, writeWhole, syncDirectory: syncFolder };

const datasync = promisify(fdatasync);

/** Symbolic links are not followed: whoever may write to the folder must not choose where the log goes. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

async function openAppend(file: string): Promise<AppendFile> {
  const handle = await open(file, APPEND, 0o600);
  return {
    write: (bytes) => writeAll(handle.fd, bytes),
    sync: () => datasync(handle.fd),
    close: () => handle.close(),
  };
}

/**
 * Up to here the system takes the bytes into its memory at once. The way to another thread and back costs more
 * than the copy itself, and every call waits for it.
 */
const AT_ONCE_BYTES = 64 * 1024;

/** The callback form of fs.write for large groups: the hot path makes no more promises than this one. */
function writeAll(descriptor: number, bytes: Uint8Array): Promise<void> {
  if (bytes.length <= AT_ONCE_BYTES) {
    return new Promise((resolve) => {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
      resolve();
    });
  }
  return new Promise((resolve, reject) => {
    const from = (offset: number): void => {
      write(descriptor, bytes, offset, bytes.length - offset, null, (fault, written) => {
        if (fault !== null) reject(fault);
        else if (offset + written < bytes.length) from(offset + written);
        else resolve();
      });
    };
    from(0);
  });
}

async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Cuts a file after `length` bytes, durably. */
export async function cutFile(file: string, length: number): Promise<void> {
  const handle = await open(file, constants.O_RDWR | constants.O_NOFOLLOW);
  try {
    await promisify(ftruncate)(handle.fd, length);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
