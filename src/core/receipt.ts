/**
 * Proof that a record is durable. Only audit/ can make one (its class has a private field); other rooms see
 * this type. The vault opens nothing without it (G4).
 */
export interface ReceiptView {
  readonly sequence: number;
  /** Hex SHA-256 of the record, the link of the chain. */
  readonly hash: string;
}
