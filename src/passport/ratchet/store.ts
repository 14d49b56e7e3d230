/** Where the line of keys that began with a registered one stands. */
export interface RatchetState {
  /** How often the key gave way to another one. */
  readonly step: number;
  /** RFC 7638 thumbprint of the key that signs next. */
  readonly thumbprint: string;
  /** Of the one that signed last. */
  readonly previous: string;
}

/** One line of keys: an agent and the `kid` that was registered. */
export interface RatchetLine {
  readonly tenant: string;
  readonly agentId: string;
  readonly kid: string;
}

export interface RatchetStore {
  /** Null: the registered key has not been used yet. */
  find(line: RatchetLine): Promise<RatchetState | null>;
  /** Compare-and-set from the key that signed to the next one: true for exactly one caller. */
  advance(line: RatchetLine, change: { readonly from: string; readonly to: string }): Promise<boolean>;
  /** Whether a key was part of the line and gave way. The last 4,096 are known, and the first one. */
  hasGivenWay(line: RatchetLine, thumbprint: string): Promise<boolean>;
  /** Forgets all lines of the agent: it begins anew with its registered keys. */
  forget(tenant: string, agentId: string): Promise<void>;
}
