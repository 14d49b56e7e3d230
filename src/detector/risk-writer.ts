import { riskAt } from './risk.ts';
import type { SessionState } from './sessions/index.ts';
import type { RiskStore } from './store.ts';

const WRITE_AFTER_MS = 1_000;

/** Writes changed risks behind the calls, so that a restart is not a fresh start. */
export class RiskWriter {
  readonly #store: RiskStore;
  readonly #onFault: (fault: unknown) => void;
  readonly #changed = new Set<SessionState>();
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(store: RiskStore, onFault: (fault: unknown) => void) {
    this.#store = store;
    this.#onFault = onFault;
  }

  add(state: SessionState): void {
    this.#changed.add(state);
    this.#timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS).unref();
  }

  flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const state of changed) {
      const { tenant, sid, findings, shares } = state;
      const at = state.lastFindingAt ?? 0;
      try {
        await this.#store.put({ tenant, sid, score: riskAt(shares, at), findings, at });
      } catch (fault) {
        // Tried again with the next write, or at the close.
        this.#changed.add(state);
        this.#onFault(fault);
      }
    }
  }
}
