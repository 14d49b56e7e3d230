import { type FSWatcher, watch } from 'node:fs';
import type { AuditEvent, Clock } from '../core/index.ts';
import { formatFault, loadPolicies } from './load.ts';
import type { PolicyFault } from './policy-file.ts';
import { PolicySet } from './policy-set.ts';

/** Editors write a file in several steps; the folder is read once it has been quiet for so long. */
const QUIET_MS = 150;

/** The folder can't be put in force; `faults` says where and why. */
export class PolicyError extends Error {
  readonly faults: readonly PolicyFault[];

  constructor(directory: string, faults: readonly PolicyFault[]) {
    super(
      `The policies in ${directory} can not be put in force:\n${faults.map((one) => `  - ${formatFault(one)}`).join('\n')}`,
    );
    this.name = 'PolicyError';
    this.faults = faults;
  }
}

export type ReloadResult =
  | { readonly kind: 'unchanged'; readonly generation: number }
  | { readonly kind: 'loaded'; readonly generation: number; readonly policies: number }
  /** The set of `generation` stays in force. */
  | { readonly kind: 'rejected'; readonly generation: number; readonly faults: readonly PolicyFault[] };

export interface PolicyKeeperOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  /** Told when another set is in force. */
  readonly onChange?: (set: PolicySet) => void;
  /** Told of what happens in the background: a rejected change, a failed record. */
  readonly onFault?: (fault: unknown) => void;
  readonly tenant?: string;
}

/** Keeps the policies of a folder in force: a good change takes over at once, a broken one changes nothing. */
export class PolicyKeeper {
  readonly #options: PolicyKeeperOptions;
  #set: PolicySet;
  #faults: readonly PolicyFault[] = [];
  #watcher: FSWatcher | null = null;
  #quiet: NodeJS.Timeout | null = null;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(options: PolicyKeeperOptions, set: PolicySet) {
    this.#options = options;
    this.#set = set;
  }

  /** Throws PolicyError when the folder is broken at the start: there is no older set to keep. */
  static async open(options: PolicyKeeperOptions): Promise<PolicyKeeper> {
    const { policies, faults } = await loadPolicies(options.directory);
    if (faults.length > 0) throw new PolicyError(options.directory, faults);
    const keeper = new PolicyKeeper(options, new PolicySet(policies, 1));
    await keeper.#recordLoaded(keeper.#set);
    keeper.#watch();
    return keeper;
  }

  current(): PolicySet {
    return this.#set;
  }

  /** What is wrong with the folder as it was last read; empty when it is what is in force. */
  get faults(): readonly PolicyFault[] {
    return this.#faults;
  }

  get directory(): string {
    return this.#options.directory;
  }

  reload(): Promise<ReloadResult> {
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

  async #reload(): Promise<ReloadResult> {
    const { policies, faults } = await loadPolicies(this.#options.directory);
    this.#faults = faults;
    const old = this.#set;
    if (faults.length > 0) {
      await this.#record({
        type: 'policy.rejected',
        data: { generation: old.generation, faults: faults.map(formatFault) },
      });
      return { kind: 'rejected', generation: old.generation, faults };
    }
    const next = new PolicySet(policies, old.generation + 1);
    if (next.digest === old.digest) return { kind: 'unchanged', generation: old.generation };
    // On the record first: what decides calls is never something that the log does not know.
    await this.#recordLoaded(next);
    this.#set = next;
    // Decisions are synchronous: nobody is in the middle of asking the old one.
    old.release();
    this.#options.onChange?.(next);
    return { kind: 'loaded', generation: next.generation, policies: next.size };
  }

  #recordLoaded({ generation, size, digest }: PolicySet): Promise<void> {
    return this.#record({ type: 'policy.loaded', data: { generation, policies: size, digest } });
  }

  async #record(
    event:
      | Pick<Extract<AuditEvent, { type: 'policy.loaded' }>, 'type' | 'data'>
      | Pick<Extract<AuditEvent, { type: 'policy.rejected' }>, 'type' | 'data'>,
  ): Promise<void> {
    const { audit, clock, tenant = 'default' } = this.#options;
    await audit({ ...event, tenant, at: clock.now() });
  }

  #watch(): void {
    const { directory, onFault } = this.#options;
    this.#watcher = watch(directory, { persistent: false }, () => {
      if (this.#quiet !== null) clearTimeout(this.#quiet);
      this.#quiet = setTimeout(() => void this.#reloadInBackground(), QUIET_MS).unref();
    });
    // The folder was moved away: what is in force stays, and `reload` says what is wrong.
    this.#watcher.on('error', (fault) => onFault?.(fault));
  }

  async #reloadInBackground(): Promise<void> {
    const { onFault, directory } = this.#options;
    try {
      const result = await this.reload();
      if (result.kind === 'rejected') onFault?.(new PolicyError(directory, result.faults));
    } catch (fault) {
      onFault?.(fault);
    }
  }
}
