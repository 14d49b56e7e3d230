import type { Clock } from '../../core/index.ts';
import { type GuardedFetch, UpstreamProvider, type UpstreamSettings } from './provider.ts';

export type { GuardedFetch, UpstreamSettings } from './provider.ts';

/** The providers through which people sign in, by name and by issuer. */
export class Upstreams {
  readonly #byName: ReadonlyMap<string, UpstreamProvider>;

  /** Throws Refusal for settings that can't be. */
  constructor(
    settings: readonly UpstreamSettings[],
    o: { readonly fetch: GuardedFetch; readonly clock: Clock },
  ) {
    this.#byName = new Map(settings.map((one) => [one.name, new UpstreamProvider(one, o)]));
  }

  get all(): readonly UpstreamProvider[] {
    return [...this.#byName.values()];
  }

  byName(name: string): UpstreamProvider | null {
    return this.#byName.get(name) ?? null;
  }

  byIssuer(issuer: string): UpstreamProvider | null {
    return this.all.find(({ settings }) => settings.issuer === issuer) ?? null;
  }
}
