/** The log can't be opened or read: says which file, which line, and what to do. */
export class AuditFault extends Error {
  override readonly name = 'AuditFault';
  readonly file: string;
  /** 1 for the first line; null when the fault is of the whole file. */
  readonly line: number | null;

  constructor(file: string, line: number | null, reason: string, options: { readonly cause?: unknown } = {}) {
    super(`${file}${line === null ? '' : `:${line}`}: ${reason}`, options);
    this.file = file;
    this.line = line;
  }
}
