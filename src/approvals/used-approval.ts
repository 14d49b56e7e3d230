/**
 * Proof that a person approved exactly this call, and that the approval was used up for it. Only this room can
 * make one.
 */
export class UsedApproval {
  readonly #digest: string;
  readonly id: string;

  constructor(id: string, digest: string) {
    this.id = id;
    this.#digest = digest;
    Object.freeze(this);
  }

  /** base64url digest of the call that it is for. */
  get digest(): string {
    return this.#digest;
  }
}
