import { OAuthFault } from '../oauth-fault.ts';
import type { AgentRecord } from '../store.ts';
import type { RatchetLine, RatchetState, RatchetStore } from './store.ts';

/** A use of a line of keys: which one signed, and which one shall sign next. Both are RFC 7638 thumbprints. */
export interface RatchetUse {
  readonly line: RatchetLine;
  /** The registered key, with which the line begins. */
  readonly root: string;
  readonly signed: string;
  readonly next: string;
}

/** What a use means for its line. */
export type RatchetVerdict = 'advance' | 'repeat' | 'cloned' | 'unknown';

/**
 * The next key signs: it advances. The last one signs again and names the same next key, which has not been used: the
 * answer got lost, and it may repeat. Any other key that gave way signs: somebody has a copy. Pure.
 */
export function judgeUse(state: RatchetState | null, use: RatchetUse, hasGivenWay: boolean): RatchetVerdict {
  const { signed, next, root } = use;
  if (signed === (state?.thumbprint ?? root)) return 'advance';
  if (state !== null && signed === state.previous && next === state.thumbprint) return 'repeat';
  return hasGivenWay ? 'cloned' : 'unknown';
}

export interface RatchetsOptions {
  readonly store: RatchetStore;
  /** Quarantines the agent and raises an alert; durable when it resolves. */
  readonly onCloned: (agent: AgentRecord, line: RatchetLine) => Promise<void>;
}

/**
 * Keys that give way with each use: the assertion that a key signs names the key that signs the next one. A copy of the
 * key and the original can't both go on: the second of them shows a key that gave way, and the agent is quarantined.
 */
export class Ratchets {
  readonly #o: RatchetsOptions;

  constructor(o: RatchetsOptions) {
    this.#o = o;
  }

  /** Throws OAuthFault('invalid_client') unless the key may sign now. To be asked once its signature was checked. */
  async admit(agent: AgentRecord, use: RatchetUse): Promise<void> {
    await this.#judge(this.#o.store, agent, use);
  }

  /**
   * Moves the line on, in the transaction that issues. Of several that were admitted at once with one key, the first
   * moves it; for the others it was a repeat, or they have a copy.
   */
  async use(store: RatchetStore, agent: AgentRecord, use: RatchetUse): Promise<void> {
    if ((await this.#judge(store, agent, use)) === 'repeat') return;
    const { line, signed: from, next: to } = use;
    if (await store.hasGivenWay(line, to)) throw refused('the next key was used before');
    if (!(await store.advance(line, { from, to }))) throw refused('the key is being used by another request');
  }

  async #judge(store: RatchetStore, agent: AgentRecord, use: RatchetUse): Promise<'advance' | 'repeat'> {
    const { line, signed } = use;
    const verdict = judgeUse(await store.find(line), use, await store.hasGivenWay(line, signed));
    switch (verdict) {
      case 'advance':
      case 'repeat':
        return verdict;
      case 'unknown':
        throw refused('client authentication failed');
      case 'cloned':
        throw new ClonedKey(agent, line);
    }
  }

  /** What is done about a copy, outside of the transaction that found it: that one is undone. */
  async answer(fault: unknown): Promise<never> {
    if (fault instanceof ClonedKey) await this.#o.onCloned(fault.agent, fault.line);
    throw fault;
  }
}

/** Somebody shows a key that gave way. To the client it is a failed authentication like any other. */
class ClonedKey extends OAuthFault {
  readonly agent: AgentRecord;
  readonly line: RatchetLine;

  constructor(agent: AgentRecord, line: RatchetLine) {
    super('invalid_client', 'client authentication failed');
    this.agent = agent;
    this.line = line;
  }
}

function refused(description: string): OAuthFault {
  return new OAuthFault('invalid_client', description);
}
