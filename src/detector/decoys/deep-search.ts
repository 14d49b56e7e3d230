import type { DecoyRecord } from '../store.ts';
import { Cover, type Piece } from './cover.ts';
import { DIGITS, rot13, squeeze } from './squeeze.ts';

/** Decoys are recognized by pieces of so many characters: six of 36 are one number. */
const TILE = 6;
const HIGHEST = DIGITS ** (TILE - 1);
/** One bit for each value of a tile's low bits: most places of most texts are passed over with a look at it. */
const FILTER_BITS = 1 << 20;

interface Tile {
  readonly entry: Entry;
  readonly at: number;
}

interface Entry {
  readonly decoy: DecoyRecord;
  readonly value: Uint8Array;
  /** Whether pieces of it that stand apart count as the whole: words that people chose stand in many texts. */
  readonly inPieces: boolean;
}

/**
 * Finds decoys in texts that were decoded before, however many decoys there are: one look-up for each character. A decoy
 * that was cut counts when all of its pieces are in the call; a piece alone is no alarm.
 */
export class DeepSearch {
  readonly #tiles = new Map<number, Tile[]>();
  readonly #filter = new Uint8Array(FILTER_BITS / 8);

  add(decoy: DecoyRecord): void {
    const value = squeeze(decoy.value);
    if (value.length < TILE) return;
    const entry = { decoy, value, inPieces: decoy.kind === 'credential' };
    for (let at = 0; at < value.length; at += TILE) this.#put(entry, Math.min(at, value.length - TILE));
  }

  #put(entry: Entry, at: number): void {
    let tile = 0;
    for (let i = at; i < at + TILE; i += 1) tile = tile * DIGITS + (entry.value[i] as number);
    const bit = tile % FILTER_BITS;
    this.#filter[bit >> 3] = (this.#filter[bit >> 3] as number) | (1 << (bit & 7));
    const known = this.#tiles.get(tile);
    if (known === undefined) this.#tiles.set(tile, [{ entry, at }]);
    else known.push({ entry, at });
  }

  /** The decoys of which everything stands in the readings of one call. */
  find(readings: Iterable<Uint8Array>): readonly DecoyRecord[] {
    const covers = new Map<Entry, Cover>();
    const found = new Set<DecoyRecord>();
    if (this.#tiles.size === 0) return [];
    for (const reading of readings) {
      for (const text of [reading, reading.toReversed(), rot13(reading)]) this.#scan(text, covers, found);
    }
    return [...found];
  }

  #scan(text: Uint8Array, covers: Map<Entry, Cover>, found: Set<DecoyRecord>): void {
    let tile = 0;
    for (let end = 0; end < text.length; end += 1) {
      tile = (tile % HIGHEST) * DIGITS + (text[end] as number);
      const bit = tile % FILTER_BITS;
      if (end < TILE - 1 || ((this.#filter[bit >> 3] as number) & (1 << (bit & 7))) === 0) continue;
      for (const known of this.#tiles.get(tile) ?? []) {
        const { entry } = known;
        if (found.has(entry.decoy)) continue;
        const cover = covers.get(entry) ?? new Cover();
        covers.set(entry, cover);
        const piece = pieceAround(text, end - TILE + 1, known);
        cover.add(piece);
        const whole = piece.to - piece.from === entry.value.length;
        if (whole || (entry.inPieces && cover.isWhole(entry.value.length))) found.add(entry.decoy);
      }
    }
  }
}

/** As much of the decoy as stands around a tile of it. */
function pieceAround(text: Uint8Array, at: number, { entry, at: tileAt }: Tile): Piece {
  const { value } = entry;
  let before = 0;
  while (before < tileAt && before < at && text[at - before - 1] === value[tileAt - before - 1]) before += 1;
  let to = tileAt + TILE;
  while (to < value.length && text[at + to - tileAt] === value[to]) to += 1;
  return { from: tileAt - before, to };
}
