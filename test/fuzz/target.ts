/** Something that takes bytes from strangers, and what must hold whatever they are. */
export interface FuzzTarget {
  readonly name: string;
  /** What must hold, in one sentence. */
  readonly promise: string;
  /** Inputs to begin from. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Pieces that are put in: what the format is made of. */
  readonly dictionary: readonly string[];
  open(): Promise<FuzzRun>;
}

export interface FuzzRun {
  /** Throws when the promise is broken. */
  try(input: Uint8Array): void | Promise<void>;
  close(): void | Promise<void>;
}

/** A target without state. */
export function pure(check: (input: Uint8Array) => void | Promise<void>): () => Promise<FuzzRun> {
  return async () => ({ try: check, close: () => undefined });
}

export function mustHold(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** Bytes as text in which each byte is one character. */
export function latin(input: Uint8Array): string {
  return Buffer.from(input).toString('latin1');
}
