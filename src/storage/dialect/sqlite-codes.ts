/** Primary result codes (https://sqlite.org/rescode.html). */
export const SQLITE = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  notADb: 26,
} as const;

const DISK: ReadonlySet<number> = new Set([SQLITE.readOnly, SQLITE.io, SQLITE.full, SQLITE.cantOpen]);

/** The primary result code behind an error of node:sqlite; null when there is none. */
export function codeOf(cause: unknown): number | null {
  if (!(cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number')) return null;
  return cause.errcode & 0xff;
}

/** The file can't be written or reached: a full disk, a read-only file or folder, a disk that fails. */
export function isDiskFault(cause: unknown): boolean {
  const code = codeOf(cause);
  return code !== null && DISK.has(code);
}
