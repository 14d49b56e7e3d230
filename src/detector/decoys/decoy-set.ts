import { compileNeedles, type NeedleHit, type NeedleMatcher, type Needles } from '../../core/index.ts';
import type { DecoyRecord } from '../store.ts';
import { Budget } from './budget.ts';
import { DeepSearch } from './deep-search.ts';
import { readingsOf } from './readings.ts';

/** Decoys that the gate has planted itself, each for one session. Everything else was planted by a person. */
export const BY_GATE = 'the gate, ';

/** Sessions whose own decoys are kept ready for a stream. */
const MAX_READY = 1_000;
/** Of a stream, so much is also read in every coding; what comes later is searched as it stands. */
const DEEP_BYTES = 256 * 1024;
/** The work for that is bounded, too, however small the chunks: characters that are read, some of them again. */
const DEEP_WORK_CHARS = 1024 * 1024;
/** A piece of a decoy that the end of a chunk cut off is found again in what is kept of it. */
const CARRY_CHARS = 1024;

/**
 * The decoys of a tenant. Those that people planted, and a session's own, are searched for in every chunk of a stream in
 * every usual writing; all of them, of however many sessions, in what can be read whole.
 */
export class DecoySet {
  readonly #decoys = new Map<string, DecoyRecord>();
  readonly #ofSession = new Map<string, DecoyRecord[]>();
  readonly #ready = new Map<string, Compiled>();
  readonly #deep = new DeepSearch();
  readonly #fixed: Compiled;

  constructor(decoys: readonly DecoyRecord[], before: DecoySet | null = null) {
    const fixed = decoys.filter(({ plantedBy }) => !plantedBy.startsWith(BY_GATE));
    // Compiling is the dear part, and people plant seldom.
    const compiled = before === null ? null : before.#fixed;
    this.#fixed = compiled?.holds(fixed) === true ? compiled : new Compiled(fixed);
    for (const decoy of decoys) this.#add(decoy);
  }

  /** This set with one more: itself where the gate planted it, which is often; a new one where a person did. */
  with(decoy: DecoyRecord): DecoySet {
    if (this.#decoys.has(decoy.id)) return this;
    if (!decoy.plantedBy.startsWith(BY_GATE)) return new DecoySet([...this.#decoys.values(), decoy], this);
    this.#add(decoy);
    return this;
  }

  #add(decoy: DecoyRecord): void {
    if (this.#decoys.has(decoy.id)) return;
    this.#decoys.set(decoy.id, decoy);
    this.#deep.add(decoy);
    if (decoy.sid === null || !decoy.plantedBy.startsWith(BY_GATE)) return;
    const own = this.#ofSession.get(decoy.sid) ?? [];
    this.#ofSession.set(decoy.sid, own);
    own.push(decoy);
    this.#ready.delete(decoy.sid);
  }

  get decoys(): readonly DecoyRecord[] {
    return [...this.#decoys.values()];
  }

  /** What the gate has planted in this session. */
  ofSession(sid: string): readonly DecoyRecord[] {
    return this.#ofSession.get(sid) ?? [];
  }

  /** Whether it was made of the same decoys: then it needs no making again. */
  holds(decoys: readonly DecoyRecord[]): boolean {
    return (
      decoys.length === this.#decoys.size &&
      decoys.every(({ id, value }) => this.#decoys.get(id)?.value === value)
    );
  }

  /** The decoys in a whole text, as it stands. */
  findIn(bytes: Uint8Array, sid: string): readonly DecoyRecord[] {
    return this.#compiledFor(sid).flatMap((compiled) => compiled.search().push(bytes));
  }

  /** The decoys in the texts of one call, however they are written, also cut in pieces over several of them. */
  findDeep(texts: Iterable<string | Uint8Array>): DeepFind {
    const budget = new Budget();
    const found = this.#deep.find(readingsOf(texts, budget));
    return { found, unread: budget.exceeded };
  }

  /** A search through one stream of a session, whatever its chunks. */
  search(sid: string): StreamSearch {
    const searches = this.#compiledFor(sid).map((compiled) => compiled.search());
    return new StreamSearch(searches, (text) => this.findDeep([text]).found);
  }

  #compiledFor(sid: string): readonly Compiled[] {
    const own = this.#ofSession.get(sid);
    if (own === undefined) return [this.#fixed];
    const ready = this.#ready.get(sid) ?? new Compiled(own);
    this.#ready.delete(sid);
    this.#ready.set(sid, ready);
    if (this.#ready.size > MAX_READY) this.#dropOldest();
    return [this.#fixed, ready];
  }

  #dropOldest(): void {
    for (const sid of this.#ready.keys()) {
      this.#ready.delete(sid);
      return;
    }
  }
}

/** What a search in every coding came to. */
export interface DeepFind {
  readonly found: readonly DecoyRecord[];
  /** Whether there was more than is decoded. */
  readonly unread: boolean;
}

/** Decoys, compiled for search in the writings that every client makes. */
class Compiled {
  readonly #decoys: readonly DecoyRecord[];
  readonly #exact: Needles;
  /** Names of hosts and mailboxes are the same in any case, and libraries turn field names to lower case. */
  readonly #folded: Needles;

  constructor(decoys: readonly DecoyRecord[]) {
    this.#decoys = decoys;
    this.#exact = compileNeedles(decoys.map(({ value }) => Buffer.from(value, 'utf8')));
    this.#folded = compileNeedles(decoys.map(({ value }) => fold(Buffer.from(value, 'utf8'))));
  }

  holds(decoys: readonly DecoyRecord[]): boolean {
    return (
      decoys.length === this.#decoys.length &&
      decoys.every(({ id, value }, at) => this.#decoys[at]?.id === id && this.#decoys[at].value === value)
    );
  }

  search(): ChunkSearch {
    return new ChunkSearch(this.#decoys, this.#exact.matcher(), this.#folded.matcher());
  }
}

/**
 * Only whole decoys count. A decoy that the end of the data cuts off could be a word that it begins with, and a
 * false alarm about a decoy costs the trust in every later one.
 */
class ChunkSearch {
  readonly #decoys: readonly DecoyRecord[];
  readonly #matchers: readonly [exact: NeedleMatcher, folded: NeedleMatcher];

  constructor(decoys: readonly DecoyRecord[], exact: NeedleMatcher, folded: NeedleMatcher) {
    this.#decoys = decoys;
    this.#matchers = [exact, folded];
  }

  /** The decoys that end in this chunk. */
  push(chunk: Uint8Array): readonly DecoyRecord[] {
    const [exact, folded] = this.#matchers;
    return this.#named([...exact.push(chunk), ...folded.push(fold(chunk))]);
  }

  #named(hits: readonly NeedleHit[]): readonly DecoyRecord[] {
    return [...new Set(hits.map(({ secret }) => secret))].flatMap((index) => this.#decoys[index] ?? []);
  }
}

/** One stream: each chunk as it stands, and its first part in every coding as well. */
export class StreamSearch {
  readonly #searches: readonly ChunkSearch[];
  readonly #deep: (text: string) => readonly DecoyRecord[];
  #carry = '';
  #bytes = 0;
  #work = 0;

  constructor(searches: readonly ChunkSearch[], deep: (text: string) => readonly DecoyRecord[]) {
    this.#searches = searches;
    this.#deep = deep;
  }

  /** The decoys that this chunk completes. */
  push(chunk: Uint8Array): readonly DecoyRecord[] {
    const found = this.#searches.flatMap((search) => search.push(chunk));
    return found.length > 0 ? found : this.#inDepth(chunk);
  }

  #inDepth(chunk: Uint8Array): readonly DecoyRecord[] {
    if (this.#bytes >= DEEP_BYTES || this.#work >= DEEP_WORK_CHARS) return [];
    const looked = chunk.subarray(0, DEEP_BYTES - this.#bytes);
    this.#bytes += looked.length;
    const text = this.#carry + Buffer.from(looked).toString('utf8');
    this.#carry = text.slice(-CARRY_CHARS);
    this.#work += text.length;
    return this.#deep(text);
  }
}

/** ASCII letters in lower case; every other byte, and the length, as they are. */
function fold(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));
}
