import { existsSync, type FSWatcher, watch } from 'node:fs';
import type { AuditEvent, Clock } from '../../core/index.ts';
import { formatRuleFault, type RefusedRule } from './formats/format.ts';
import { type LoadedRules, RuleError, readRules } from './load.ts';
import type { RuleSet } from './rule-set.ts';

/** Editors write a file in several steps; the folder is read once it has been quiet for so long. */
const QUIET_MS = 250;

export type RulesReload =
  | { readonly kind: 'unchanged'; readonly rules: number }
  | { readonly kind: 'loaded'; readonly rules: number; readonly refused: number }
  /** The rules that were in force stay. */
  | { readonly kind: 'rejected'; readonly rules: number; readonly faults: readonly string[] };

export interface RuleKeeperOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Whether a change in the folder is taken over by itself. */
  readonly watch: boolean;
  /** Told of what happens in the background: a rejected change, a failed record. */
  readonly onFault: (fault: unknown) => void;
}

/** Keeps the rules of a folder in force: a good change takes over at once, a broken one changes nothing. */
export class RuleKeeper {
  readonly #options: RuleKeeperOptions;
  #loaded: LoadedRules;
  #faults: readonly string[] = [];
  #watcher: FSWatcher | null = null;
  #quiet: NodeJS.Timeout | null = null;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(options: RuleKeeperOptions, loaded: LoadedRules) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /** Throws RuleError when the folder is broken at the start: there are no older rules to keep. */
  static async open(options: RuleKeeperOptions): Promise<RuleKeeper> {
    const loaded = await readRules(options.directory);
    if (loaded.faults.length > 0) throw new RuleError(loaded.faults);
    const keeper = new RuleKeeper(options, loaded);
    if (options.watch && existsSync(options.directory)) keeper.#watch();
    return keeper;
  }

  current(): RuleSet {
    return this.#loaded.set;
  }

  /** Rules of others' packs that are left out. */
  get refused(): readonly RefusedRule[] {
    return this.#loaded.refused;
  }

  /** What is wrong with the folder as it was last read; empty when it is what is in force. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  reload(): Promise<RulesReload> {
    const result = this.#work.then(() => this.#reload());
    this.#work = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#quiet !== null) clearTimeout(this.#quiet);
    await this.#work;
  }

  async #reload(): Promise<RulesReload> {
    const { directory, audit, clock } = this.#options;
    const next = await readRules(directory);
    const event = { tenant: 'default', at: clock.now() } as const;
    this.#faults = next.faults.map(formatRuleFault);
    if (this.#faults.length > 0) {
      await audit({ ...event, type: 'rules.rejected', data: { faults: this.#faults.slice(0, 50) } });
      return { kind: 'rejected', rules: this.current().size, faults: this.#faults };
    }
    const { digest, set, refused } = next;
    if (digest === this.#loaded.digest) return { kind: 'unchanged', rules: set.size };
    // On the record first, as with policies: what judges calls is never something that the log does not know.
    await audit({
      ...event,
      type: 'rules.loaded',
      data: { rules: set.size, refused: refused.length, digest },
    });
    this.#loaded = next;
    return { kind: 'loaded', rules: set.size, refused: refused.length };
  }

  #watch(): void {
    const { directory, onFault } = this.#options;
    this.#watcher = watch(directory, { persistent: false, recursive: true }, () => {
      if (this.#quiet !== null) clearTimeout(this.#quiet);
      this.#quiet = setTimeout(() => void this.#reloadInBackground(), QUIET_MS).unref();
    });
    // The folder was moved away: what is in force stays, and `policy reload` says what is wrong.
    this.#watcher.on('error', onFault);
  }

  async #reloadInBackground(): Promise<void> {
    try {
      await this.reload();
    } catch (fault) {
      this.#options.onFault(fault);
    }
  }
}
