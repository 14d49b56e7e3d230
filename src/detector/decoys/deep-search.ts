import type { DecoyRecord } from '../store.ts';
import { Cover, type Piece } from './cover.ts';
import { ROT13, squeeze } from './squeeze.ts';

/** Decoys are recognized by pieces of so many characters, five bits of each: one number of 30 bits. */
const TILE = 6;
const BITS = 5;
const LOW = (1 << BITS) - 1;
const MASK = 2 ** (TILE * BITS) - 1;
const TOP = (TILE - 1) * BITS;
/** One bit for each value of some bits of a tile: most places of most texts are passed over with a look at it. */
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
 * Finds decoys in texts that were decoded before, however many decoys there are: three numbers that roll along the text
 * (as it stands, backwards, turned by 13), and a look-up for each. A decoy that was cut counts when all of its pieces are
 * in the call; a piece alone is no alarm.
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
    for (let i = at; i < at + TILE; i += 1) tile = (tile << BITS) | ((entry.value[i] as number) & LOW);
    const bit = filterBit(tile);
    this.#filter[bit >> 3] = (this.#filter[bit >> 3] as number) | (1 << (bit & 7));
    const known = this.#tiles.get(tile);
    if (known === undefined) this.#tiles.set(tile, [{ entry, at }]);
    else known.push({ entry, at });
  }

  /** The decoys of which everything stands in the readings of one call. */
  find(readings: Iterable<Uint8Array>): readonly DecoyRecord[] {
    const search = { covers: new Map<Entry, Cover>(), found: new Set<DecoyRecord>() };
    if (this.#tiles.size === 0) return [];
    for (const reading of readings) this.#scan(reading, search);
    return [...search.found];
  }

  #scan(text: Uint8Array, search: Search): void {
    const filter = this.#filter;
    let [plain, backwards, turned] = [0, 0, 0];
    // Made once, and only where a tile is: an attacker may repeat one for ever.
    let reversed: Uint8Array | null = null;
    let rotated: Uint8Array | null = null;
    for (let end = 0; end < text.length; end += 1) {
      const digit = text[end] as number;
      plain = ((plain << BITS) | (digit & LOW)) & MASK;
      backwards = (backwards >>> BITS) | ((digit & LOW) << TOP);
      turned = ((turned << BITS) | ((ROT13[digit] as number) & LOW)) & MASK;
      if (end < TILE - 1) continue;
      const at = end - TILE + 1;
      if (isSet(filter, plain)) this.#look(plain, text, at, search);
      if (isSet(filter, backwards) && this.#tiles.has(backwards)) {
        reversed ??= text.toReversed();
        this.#look(backwards, reversed, text.length - 1 - end, search);
      }
      if (isSet(filter, turned) && this.#tiles.has(turned)) {
        rotated ??= text.map((one) => ROT13[one] as number);
        this.#look(turned, rotated, at, search);
      }
    }
  }

  #look(tile: number, text: Uint8Array, at: number, { covers, found }: Search): void {
    for (const known of this.#tiles.get(tile) ?? []) {
      const { entry } = known;
      if (found.has(entry.decoy)) continue;
      const piece = pieceAround(text, at, known);
      if (piece === null) continue;
      const cover = covers.get(entry) ?? new Cover();
      covers.set(entry, cover);
      cover.add(piece);
      const whole = piece.to - piece.from === entry.value.length;
      if (whole || (entry.inPieces && cover.isWhole(entry.value.length))) found.add(entry.decoy);
    }
  }
}

interface Search {
  readonly covers: Map<Entry, Cover>;
  readonly found: Set<DecoyRecord>;
}

function filterBit(tile: number): number {
  return (tile ^ (tile >>> 11)) & (FILTER_BITS - 1);
}

function isSet(filter: Uint8Array, tile: number): boolean {
  const bit = filterBit(tile);
  return ((filter[bit >> 3] as number) & (1 << (bit & 7))) !== 0;
}

/** As much of the decoy as stands around a tile of it; null where the tile only has the same number. */
function pieceAround(text: Uint8Array, at: number, { entry, at: tileAt }: Tile): Piece | null {
  const { value } = entry;
  for (let i = 0; i < TILE; i += 1) if (text[at + i] !== value[tileAt + i]) return null;
  let before = 0;
  while (before < tileAt && before < at && text[at - before - 1] === value[tileAt - before - 1]) before += 1;
  let to = tileAt + TILE;
  while (to < value.length && text[at + to - tileAt] === value[to]) to += 1;
  return { from: tileAt - before, to };
}
