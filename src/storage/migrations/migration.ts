/** The words that differ between the databases, so that one migration text serves both. */
export interface SchemaWords {
  /** Text that sorts by its bytes. */
  readonly text: string;
  /** 64-bit integer. */
  readonly integer: string;
  /** 64-bit float. */
  readonly real: string;
  readonly bytes: string;
  /** What stands behind the closing parenthesis of a table. */
  readonly options: string;
}

/**
 * One step from a schema to the next. Plain SQL rather than a builder: its checksum must not change when a
 * library changes how it prints.
 */
export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly statements: (words: SchemaWords) => readonly string[];
}
