/** A person in whose name agents may act. */
export interface Person {
  /** The `sub` of passports. */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** How people let agents act in their name: on pages of ours, in a browser. */
export interface ConsentOptions {
  /** By id; null: there is none, or none that may sign in. */
  readonly findUser: (id: string) => Promise<Person | null>;
  /** How long a person may let an agent act, at most: the absolute lifetime of refresh tokens. */
  readonly longestGrantSeconds: number;
}
