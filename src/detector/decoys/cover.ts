/** A part of a decoy, from one of its characters up to another. */
export interface Piece {
  readonly from: number;
  readonly to: number;
}

/** More pieces than this are not put together. */
const MAX_PIECES = 6;

/** Which parts of a decoy were seen. */
export class Cover {
  readonly #pieces: Piece[] = [];

  add(piece: Piece): void {
    if (this.#pieces.some(({ from, to }) => from <= piece.from && piece.to <= to)) return;
    this.#pieces.push(piece);
  }

  /** Whether few of them make up the whole. */
  isWhole(length: number): boolean {
    let reached = 0;
    for (let count = 0; count < MAX_PIECES && reached < length; count += 1) {
      const furthest = Math.max(0, ...this.#pieces.filter(({ from }) => from <= reached).map(({ to }) => to));
      if (furthest <= reached) return false;
      reached = furthest;
    }
    return reached >= length;
  }
}
